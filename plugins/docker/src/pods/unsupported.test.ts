import { expect, it } from "vitest";
import { testPod } from "../testing/pods.ts";
import { unsupported } from "./unsupported.ts";

const main = (more: object) => ({ containers: [{ name: "main", image: "busybox", ...more }] });

const MOUNT = { name: "v", mountPath: "/v" };
const propagated = (mountPropagation: string) => ({ ...MOUNT, mountPropagation });

it.each<[string, Parameters<typeof testPod>[0] | object]>([
  ["hostUsers", { hostUsers: false }],
  ["supplementalGroupsPolicy", { securityContext: { supplementalGroupsPolicy: "Strict" } }],
  ["resourceClaims", { resourceClaims: [{ name: "gpu" }] }],
  ["volumeDevices", main({ volumeDevices: [{ name: "raw", devicePath: "/dev/x" }] })],
  ["host process", main({ securityContext: { windowsOptions: { hostProcess: true } } })],
  ["os.name: windows", { os: { name: "windows" } }],
  ["limits of the pod as a whole", { resources: { limits: { memory: "1Gi" } } }],
  ["resource claims", main({ resources: { claims: [{ name: "gpu" }] } })],
  ["hugepages-2Mi", main({ resources: { limits: { "hugepages-2Mi": "4Mi" } } })],
  ["only privileged", main({ volumeMounts: [propagated("Bidirectional")] })],
  ["none of None", main({ volumeMounts: [propagated("Both")] })],
  ["needs readOnly: true", main({ volumeMounts: [{ ...MOUNT, recursiveReadOnly: "Enabled" }] })],
  ["FQDN", { hostname: "x".repeat(60), subdomain: "sub", setHostnameAsFQDN: true }],
])("tells a pod that asks for what would be missing: %s", (words, spec) => {
  expect(unsupported(testPod(spec))).toContain(words);
});

it.each<[Parameters<typeof testPod>[0] | object]>([
  [{}],
  [{ hostUsers: true }],
  [{ securityContext: { supplementalGroupsPolicy: "Merge" } }],
  [main({ volumeDevices: [] })],
  [{ os: { name: "linux" }, resources: { requests: { memory: "1Gi" } } }],
  [main({ volumeMounts: [MOUNT, propagated("HostToContainer")] })],
  [
    main({
      securityContext: { privileged: true },
      volumeMounts: [propagated("Bidirectional")],
    }),
  ],
  [main({ volumeMounts: [{ ...MOUNT, readOnly: true, recursiveReadOnly: "Enabled" }] })],
])("has nothing against %j", (spec) => {
  expect(unsupported(testPod(spec))).toBeUndefined();
});
