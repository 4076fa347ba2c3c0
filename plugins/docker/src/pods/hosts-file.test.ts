import type { PodSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { testPod } from "../testing/pods.ts";
import { hostsFile } from "./hosts-file.ts";

describe("a pod's hosts file", () => {
  const IPS = ["10.0.0.7", "fd00::7"];

  it("names the pod by each of its addresses, and its aliases", () => {
    const hostAliases = [
      { ip: "10.1.1.1", hostnames: ["a.test", "b.test"] },
      { ip: "10.1.1.2", hostnames: ["c.test"] },
    ];
    const text = hostsFile(testPod({ hostname: "web", hostAliases }), IPS, []) ?? "";
    const [first, localhost] = text.split("\n");
    expect(first).toBe("# Kubernetes-managed hosts file.");
    expect(localhost).toBe("127.0.0.1\tlocalhost");
    expect(text.split("\n").slice(7)).toEqual([
      "10.0.0.7\tweb",
      "fd00::7\tweb",
      "",
      "# Entries added by HostAliases.",
      "10.1.1.1\ta.test\tb.test",
      "10.1.1.2\tc.test",
      "",
    ]);
  });

  it("has the long name of a pod in a subdomain first", () => {
    const text = hostsFile(testPod({ hostname: "db-0", subdomain: "db" }), ["10.0.0.7"], []);
    expect(text).toMatch(/\n10\.0\.0\.7\tdb-0\.db\.[^.]+\.svc\.cluster\.local\tdb-0\n$/);
  });

  it.each<[string, Partial<PodSpec>, string[], string[]]>([
    ["on the host's network", { hostNetwork: true }, IPS, []],
    ["without an address", {}, [], []],
    ["that brings its own", {}, IPS, ["/data", "/etc/hosts"]],
  ])("is the engine's for a pod %s", (_title, spec, podIPs, paths) => {
    const mounts = paths.map((mountPath) => ({ hostPath: "/x", mountPath, readOnly: false }));
    expect(hostsFile(testPod(spec), podIPs, mounts)).toBeUndefined();
  });
});
