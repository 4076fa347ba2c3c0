import { expect, it } from "vitest";
import { testPod } from "../testing/pods.ts";
import { hostDomain, hostnameProblem, podHostname } from "./pod-names.ts";

const FULL = { hostname: "h", subdomain: "sub", setHostnameAsFQDN: true };

it.each([
  [{}, "pod"],
  [{ hostname: "h" }, "h"],
  [{ hostname: `${"x".repeat(62)}-y` }, "x".repeat(62)],
  [{ hostname: "h", subdomain: "sub" }, "h"],
  [FULL, "h.sub.ns.svc.cluster.local"],
  [{ ...FULL, hostnameOverride: "other.test" }, "other.test"],
])("names a pod with %j", (spec, expected) => {
  expect(podHostname(testPod(spec))).toBe(expected);
});

it("knows the domain of a pod with a subdomain only", () => {
  expect(hostDomain(testPod({ subdomain: "sub" }), "c.test")).toBe("sub.ns.svc.c.test");
  expect(hostDomain(testPod())).toBe("");
});

it("says in the kubelet's words that a full name is too long", () => {
  expect(hostnameProblem(testPod(FULL))).toBeUndefined();
  const long = testPod({ ...FULL, hostname: "x".repeat(60) });
  expect(hostnameProblem(long)).toMatch(
    /^failed to construct FQDN .* is too long \(64 characters is the max, 85 characters requested\)$/,
  );
});
