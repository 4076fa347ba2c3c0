import { expect, it } from "vitest";
import { testPod } from "../testing/pods.ts";
import { unsupported } from "./unsupported.ts";

const main = (more: object) => ({ containers: [{ name: "main", image: "busybox", ...more }] });

it.each<[string, Parameters<typeof testPod>[0] | object]>([
  ["hostUsers", { hostUsers: false }],
  ["supplementalGroupsPolicy", { securityContext: { supplementalGroupsPolicy: "Strict" } }],
  ["resourceClaims", { resourceClaims: [{ name: "gpu" }] }],
  ["volumeDevices", main({ volumeDevices: [{ name: "raw", devicePath: "/dev/x" }] })],
  ["host process", main({ securityContext: { windowsOptions: { hostProcess: true } } })],
  ["FQDN", { hostname: "x".repeat(60), subdomain: "sub", setHostnameAsFQDN: true }],
])("tells a pod that asks for what would be missing: %s", (words, spec) => {
  expect(unsupported(testPod(spec))).toContain(words);
});

it.each<[Parameters<typeof testPod>[0] | object]>([
  [{}],
  [{ hostUsers: true }],
  [{ securityContext: { supplementalGroupsPolicy: "Merge" } }],
  [main({ volumeDevices: [] })],
])("has nothing against %j", (spec) => {
  expect(unsupported(testPod(spec))).toBeUndefined();
});
