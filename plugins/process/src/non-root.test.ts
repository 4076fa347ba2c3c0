import { describe, expect, test } from "vitest";
import { checkNonRoot } from "./non-root.ts";

const metadata = { name: "web", namespace: "prod", uid: "u1" };

function check(ofPod: boolean | undefined, own: boolean | undefined, uid: number | undefined) {
  const context = (runAsNonRoot: boolean | undefined) =>
    runAsNonRoot === undefined ? {} : { securityContext: { runAsNonRoot } };
  const container = { name: "main", ...context(own) };
  checkNonRoot({ metadata, spec: { containers: [], ...context(ofPod) } }, container, uid);
}

describe("a container that must not run as root", () => {
  test.each([
    [true, undefined],
    [undefined, true],
    [false, true],
  ])("is refused by a plugin that is root (pod: %s, container: %s)", (ofPod, own) => {
    expect(() => check(ofPod, own, 0)).toThrow(
      'container has runAsNonRoot and image will run as root (pod: "web_prod(u1)", container: main)',
    );
  });

  test.each([
    [undefined, undefined, 0],
    [true, false, 0],
    [true, true, 1000],
    [true, true, undefined],
  ])("runs otherwise (pod: %s, container: %s, user: %s)", (ofPod, own, uid) => {
    expect(() => check(ofPod, own, uid)).not.toThrow();
  });
});
