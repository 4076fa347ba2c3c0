import { expect, it } from "vitest";
import { checkPodmanMounts } from "./podman-mounts.ts";

it.each([
  ["/v,source=/etc", "/a"],
  ["/v", "/a,source=/etc"],
  ['/v"', "/a"],
  ["/v", "/a\n"],
])(
  "does not give Podman the target %j of %j, which it would read as more than paths",
  (Target, Source) => {
    expect(() => checkPodmanMounts([{ Target, Source }])).toThrow("which Podman does not take");
  },
);

it("gives it other paths, however strange", () => {
  expect(() => checkPodmanMounts([{ Target: "/v = 'x'", Source: "/a b/ü=;:" }])).not.toThrow();
});
