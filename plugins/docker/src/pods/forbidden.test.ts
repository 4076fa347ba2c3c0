import type { Container, PodSpec } from "kubernetes-types/core/v1.js";
import { expect, it } from "vitest";
import { testPod } from "../testing/pods.ts";
import { forbiddenToContainer, forbiddenToPod, HOST_ACCESS, type HostAccess } from "./forbidden.ts";

it.each<[HostAccess, Partial<PodSpec>]>([
  ["hostNetwork", { hostNetwork: true }],
  ["hostPID", { hostPID: true }],
  ["hostIPC", { hostIPC: true }],
  ["unconfined", { securityContext: { seccompProfile: { type: "Unconfined" } } }],
])("keeps %s from pods where it is forbidden, and only there", (access, spec) => {
  expect(forbiddenToPod(testPod(spec), [access])).toContain(`(${access})`);
  const others = HOST_ACCESS.filter((one) => one !== access);
  expect(forbiddenToPod(testPod(spec), others)).toBeUndefined();
  expect(forbiddenToPod(testPod(), HOST_ACCESS)).toBeUndefined();
});

it.each<[HostAccess, Partial<Container>]>([
  ["privileged", { securityContext: { privileged: true } }],
  ["capabilities", { securityContext: { capabilities: { add: ["CHOWN", "CAP_SYS_ADMIN"] } } }],
  ["capabilities", { securityContext: { capabilities: { add: ["ALL"] } } }],
  ["unconfined", { securityContext: { procMount: "Unmasked" } }],
  ["unconfined", { securityContext: { seccompProfile: { type: "Unconfined" } } }],
  ["unconfined", { securityContext: { appArmorProfile: { type: "Unconfined" } } }],
  ["hostPorts", { ports: [{ containerPort: 80, hostPort: 80 }] }],
])("keeps %s from containers where it is forbidden, and only there", (access, container) => {
  const main = { name: "main", ...container };
  expect(forbiddenToContainer(main, [access])).toContain(`container "main" asks for`);
  const others = HOST_ACCESS.filter((one) => one !== access);
  expect(forbiddenToContainer(main, others)).toBeUndefined();
});

it("forbids nothing that every container has", () => {
  const capabilities = { add: ["cap_chown", "NET_RAW"], drop: ["ALL"] };
  const main = { name: "main", securityContext: { capabilities }, ports: [{ containerPort: 80 }] };
  expect(forbiddenToContainer(main, HOST_ACCESS)).toBeUndefined();
});
