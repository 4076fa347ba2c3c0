import type { PodSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { testPod } from "../testing/pods.ts";
import { type DnsSettings, engineDns, parseResolvConf } from "./pod-dns.ts";

const HOST = { nameservers: ["10.9.9.9"], searches: ["site.test"], options: ["timeout:1"] };
const CLUSTER: DnsSettings = { clusterDns: ["10.96.0.10"], clusterDomain: "c.test" };
const IN_CLUSTER = {
  Dns: ["10.96.0.10"],
  DnsSearch: ["ns.svc.c.test", "svc.c.test", "c.test", "site.test"],
  DnsOptions: ["ndots:5"],
};

describe("engineDns", () => {
  it.each<[string, Partial<PodSpec>, DnsSettings, object]>([
    ["leaves a pod that says nothing to the engine", {}, {}, {}],
    ["takes ClusterFirst for Default without a cluster DNS", { dnsPolicy: "ClusterFirst" }, {}, {}],
    ["asks the cluster first, without being told", {}, CLUSTER, IN_CLUSTER],
    ["leaves Default to the engine", { dnsPolicy: "Default" }, CLUSTER, {}],
    ["leaves pods of the host's network to the engine", { hostNetwork: true }, CLUSTER, {}],
    [
      "asks the cluster from the host's network when told to",
      { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" },
      CLUSTER,
      IN_CLUSTER,
    ],
    [
      "adds the pod's own to the host's",
      { dnsPolicy: "Default", dnsConfig: { nameservers: ["9.9.9.9"], searches: ["x.test"] } },
      {},
      { Dns: ["10.9.9.9", "9.9.9.9"], DnsSearch: ["site.test", "x.test"] },
    ],
    [
      "lets the pod's options win, and adds to the cluster's",
      {
        dnsConfig: {
          nameservers: ["10.96.0.10", "9.9.9.9"],
          options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
        },
      },
      CLUSTER,
      { ...IN_CLUSTER, Dns: ["10.96.0.10", "9.9.9.9"], DnsOptions: ["ndots:2", "edns0"] },
    ],
    [
      "takes nothing but the pod's own with None",
      { dnsPolicy: "None", dnsConfig: { nameservers: ["1.1.1.1"] } },
      CLUSTER,
      { Dns: ["1.1.1.1"], DnsSearch: ["."], DnsOptions: [] },
    ],
    [
      "keeps no more name servers than the C library reads",
      {
        dnsPolicy: "None",
        dnsConfig: { nameservers: ["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"] },
      },
      {},
      { Dns: ["1.1.1.1", "2.2.2.2", "3.3.3.3"], DnsSearch: ["."], DnsOptions: [] },
    ],
  ])("%s", (_, spec, settings, expected) => {
    expect(engineDns(testPod(spec), settings, HOST)).toEqual(expected);
  });
});

it("reads a resolv.conf as the C library does, without name servers on the host's loopback", () => {
  const text =
    "# by hand\nnameserver 127.0.0.53\nnameserver 10.0.0.1 # near\nnameserver ::1\nnameserver fd00::1\n" +
    "domain old.test\nsearch a.test b.test\noptions ndots:2\noptions rotate\n\nsortlist 1.2.3.4\n";
  expect(parseResolvConf(text)).toEqual({
    nameservers: ["10.0.0.1", "fd00::1"],
    searches: ["a.test", "b.test"],
    options: ["ndots:2", "rotate"],
  });
});
