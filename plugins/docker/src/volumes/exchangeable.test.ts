import type { Container } from "kubernetes-types/core/v1.js";
import { expect, it } from "vitest";
import { testPod } from "../testing/pods.ts";
import { mayBeExchanged } from "./exchangeable.ts";

const one = (name: string, more: object = {}, mount: object = {}): Container => ({
  name,
  volumeMounts: [{ name: "v", mountPath: "/v", ...mount }],
  ...more,
});
const own = { name: "v", emptyDir: {} };

it.each([
  ["the only one that mounts it", { containers: [one("a"), { name: "b" }] }, false],
  ["another writes to it", { containers: [one("a"), one("b")] }, true],
  ["another only reads it", { containers: [one("a"), one("b", {}, { readOnly: true })] }, false],
  ["init containers wrote to it", { containers: [one("a")], initContainers: [one("i")] }, false],
  [
    "a sidecar writes to it",
    { containers: [one("a")], initContainers: [one("s", { restartPolicy: "Always" })] },
    true,
  ],
  ["someone debugs", { containers: [one("a")], ephemeralContainers: [one("d")] }, true],
])("tells whether a part of a volume may be exchanged: %s", (_, spec, expected) => {
  const pod = testPod({ ...spec, volumes: [own] });
  expect(mayBeExchanged(pod, "a", "v")).toBe(expected);
});

it("counts on no other pod, and lets init containers run alone", () => {
  const containers = [one("a")];
  const shared = [{ name: "v", persistentVolumeClaim: { claimName: "c" } }];
  expect(mayBeExchanged(testPod({ containers, volumes: shared }), "a", "v")).toBe(true);
  const pod = testPod({ containers, initContainers: [one("i"), one("j")], volumes: [own] });
  expect(mayBeExchanged(pod, "i", "v")).toBe(false);
});
