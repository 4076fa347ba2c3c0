import { expect, it } from "vitest";
import { testPod } from "../testing/pods.ts";
import { hasHostsFile, hostsFile } from "./hosts-file.ts";

const HEAD = `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
`;

it.each<[string, Parameters<typeof testPod>[0], string[], string]>([
  ["the pod's name", {}, ["10.0.0.5"], "10.0.0.5\tpod\n"],
  ["every address", { hostname: "h" }, ["10.0.0.5", "fd00::5"], "10.0.0.5\th\nfd00::5\th\n"],
  [
    "a subdomain",
    { hostname: "h", subdomain: "sub" },
    ["10.0.0.5"],
    "10.0.0.5\th.sub.ns.svc.c.test\th\n",
  ],
  [
    "aliases",
    { hostAliases: [{ ip: "1.2.3.4", hostnames: ["a", "b"] }, { ip: "fd00::1" }] },
    ["10.0.0.5"],
    "10.0.0.5\tpod\n\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\nfd00::1\n",
  ],
])("holds %s as a kubelet writes it", (_, spec, podIPs, tail) => {
  expect(hostsFile(testPod(spec), podIPs, "c.test")).toBe(HEAD + tail);
});

it("is not for pods of the host's network", () => {
  expect(hasHostsFile(testPod())).toBe(true);
  expect(hasHostsFile(testPod({ hostNetwork: true }))).toBe(false);
});
