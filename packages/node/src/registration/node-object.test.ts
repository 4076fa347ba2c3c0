import { describe, expect, it } from "vitest";
import { type NodeHealth, nodeConditions } from "./node-conditions.ts";
import { nodeObject } from "./node-object.ts";
import type { NodeOptions } from "./node-options.ts";
import { configuredOffer, offerAfterPing } from "./site-offer.ts";

const options: NodeOptions = {
  name: "site-a",
  version: "0.1.0",
  capacity: { cpu: "10", "nvidia.com/gpu": "2" },
  addresses: [{ type: "InternalIP", address: "10.0.0.1" }],
  kubeletPort: 10_250,
  labels: { zone: "z" },
  taints: [{ key: "mine", effect: "NoExecute" }],
  acceleratorModels: { "nvidia.com/gpu": "Tesla V100 (32 GB)", "amd.com/gpu": "MI300" },
};
const healthy: NodeHealth = { connectivity: { state: "ok", body: "pong" }, notReady: undefined };
const now = new Date("2026-01-02T03:04:05.678Z");

describe("nodeObject", () => {
  const node = nodeObject(options, configuredOffer(options), healthy, now);

  it("has the labels that schedulers and existing manifests select by", () => {
    expect(node.metadata?.labels).toEqual({
      "kubernetes.io/hostname": "site-a",
      "kubernetes.io/os": "linux",
      "kubernetes.io/arch": "amd64",
      "beta.kubernetes.io/os": "linux",
      "beta.kubernetes.io/arch": "amd64",
      "kubernetes.io/role": "agent",
      type: "virtual-kubelet",
      "virtual-node.interlink/type": "virtual-kubelet",
      "node.kubernetes.io/exclude-from-external-load-balancers": "true",
      "alpha.service-controller.kubernetes.io/exclude-balancer": "true",
      "nvidia-gpu-type": "Tesla-V100-32-GB",
      zone: "z",
    });
  });

  it("shows where its API server is, without what only the node should know", () => {
    const at = (siteAddress: string) =>
      nodeObject({ ...options, siteAddress }, configuredOffer(options), healthy, now).metadata
        ?.annotations?.["interlink.virtual-kubelet.io/site"];
    expect(at("https://me:secret@site.example.org:3000/il/?key=secret#x")).toBe(
      "https://site.example.org:3000/il",
    );
    expect(at("unix:///run/interlink.sock")).toBe("unix:///run/interlink.sock");
    expect(at("secret without a scheme")).toBe("");
    expect(node.metadata?.annotations).not.toHaveProperty("interlink.virtual-kubelet.io/site");
  });

  it("has its taint first, then the configured ones", () => {
    expect(node.spec?.taints).toEqual([
      { key: "virtual-node.interlink/no-schedule", value: "true", effect: "NoSchedule" },
      { key: "mine", effect: "NoExecute" },
    ]);
  });

  it("offers what is configured and defaults for the rest, canonically, and as much to pods", () => {
    expect(node.status?.capacity).toEqual({
      cpu: "10",
      memory: "3T",
      pods: "10k",
      "ephemeral-storage": "1Ti",
      "nvidia.com/gpu": "2",
    });
    expect(node.status?.allocatable).toEqual(node.status?.capacity);
  });

  it("tells a version that tools can parse, its port, and a host name where it is really reached", () => {
    expect(node.status?.nodeInfo?.kubeletVersion).toMatch(/^v\d+\.\d+\.\d+-interlink-0\.1\.0$/);
    expect(
      Object.values(node.status?.nodeInfo ?? {}).every((text) => typeof text === "string"),
    ).toBe(true);
    expect(node.status?.addresses).toEqual([
      { type: "InternalIP", address: "10.0.0.1" },
      { type: "Hostname", address: "10.0.0.1" },
    ]);
    expect(node.status?.daemonEndpoints).toEqual({ kubeletEndpoint: { Port: 10_250 } });
  });

  it("keeps a bounded part of the ping's body for those who read the annotation", () => {
    const health: NodeHealth = { ...healthy, connectivity: { state: "ok", body: "x".repeat(1e6) } };
    const { annotations = {} } =
      nodeObject(options, configuredOffer(options), health, now).metadata ?? {};
    expect(annotations["interlink.virtual-kubelet.io/ping-response"]).toHaveLength(16_384);
    expect(node.metadata?.annotations?.["interlink.virtual-kubelet.io/ping-response"]).toBe("pong");
  });
});

describe("nodeConditions", () => {
  const summary = (health: NodeHealth, after?: number): string[] =>
    nodeConditions(health, after, [], now).map((one) => `${one.type}=${one.status} ${one.reason}`);
  const pressures = [
    "MemoryPressure=False KubeletHasSufficientMemory",
    "DiskPressure=False KubeletHasNoDiskPressure",
    "PIDPressure=False KubeletHasSufficientPID",
    "NetworkUnavailable=False RouteCreated",
  ];
  const failed = (agoMs: number): NodeHealth => ({
    connectivity: { state: "failed", error: "refused", sinceMs: now.getTime() - agoMs },
    notReady: undefined,
  });
  const connected = "InterlinkConnectivity=True InterlinkPingSuccessful";
  const cut = "InterlinkConnectivity=False InterlinkPingFailed";
  const ready = "Ready=True KubeletReady";
  const notReady = "Ready=False KubeletNotReady";

  it.each<[string, NodeHealth, number | undefined, string[]]>([
    ["all is well", healthy, undefined, [connected, ready]],
    ["it starts", { ...healthy, notReady: "starting" }, undefined, [connected, notReady]],
    [
      "the site is silent for a day and no limit is set",
      failed(86_400_000),
      undefined,
      [cut, ready],
    ],
    ["the site is silent for less than the limit", failed(59_000), 60, [cut, ready]],
    ["the site is silent for the limit", failed(60_000), 60, [cut, notReady]],
  ])("when %s", (_name, health, after, last) => {
    expect(summary(health, after)).toEqual([...pressures, ...last]);
  });

  it("keeps the time of a transition until the status flips", () => {
    const first = nodeConditions(healthy, undefined, [], now);
    const later = new Date(now.getTime() + 60_000);
    const second = nodeConditions(failed(0), undefined, first, later);
    const times = second.map((one) => [one.type, one.lastHeartbeatTime, one.lastTransitionTime]);
    expect(times).toContainEqual(["Ready", "2026-01-02T03:05:05Z", "2026-01-02T03:04:05Z"]);
    expect(times).toContainEqual([
      "InterlinkConnectivity",
      "2026-01-02T03:05:05Z",
      "2026-01-02T03:05:05Z",
    ]);
  });
});

describe("offerAfterPing", () => {
  const offer = configuredOffer(options);

  it("takes what the site offers and keeps what it leaves out", () => {
    const { offer: next, problems } = offerAfterPing(offer, {
      resources: { cpu: "0.5", accelerators: [{ resourceType: "amd.com/gpu", available: "4" }] },
    });
    expect(problems).toEqual([]);
    expect(next.capacity).toEqual({ ...offer.capacity, cpu: "500m", "amd.com/gpu": "4" });
    expect(next.taints).toEqual(offer.taints);
  });

  it.each([
    { cpu: "-1" },
    { memory: "lots" },
    { pods: "1.5" },
    { accelerators: [{ resourceType: "nvidia.com/gpu", available: "half" }] },
    { accelerators: [{ resourceType: "no domain", available: "1" }] },
  ])("keeps the old amount and says so when the site offers %j", (resources) => {
    const { offer: next, problems } = offerAfterPing(offer, { resources });
    expect(problems).toHaveLength(1);
    expect(next.capacity).toEqual(offer.capacity);
  });

  it("has no taint of its own when that is left out, whatever the site says", () => {
    const untainted = configuredOffer({ ...options, taints: [], defaultTaint: false });
    expect(untainted.taints).toEqual([]);
    const { offer: next } = offerAfterPing(untainted, { taints: [{ key: "drain" }] });
    expect(next.taints).toEqual([{ key: "drain", effect: "NoSchedule" }]);
  });

  it("replaces the taints by the site's, but never its own", () => {
    const taints = (list: { key: string; effect?: string }[]): string[] =>
      offerAfterPing(offer, { taints: list }).offer.taints.map((one) => `${one.key}:${one.effect}`);
    const own = "virtual-node.interlink/no-schedule:NoSchedule";
    expect(taints([])).toEqual([own]);
    expect(
      taints([
        { key: "drain", effect: "NoExecute" },
        { key: "odd", effect: "Sometimes" },
        { key: "odd" },
        { key: "" },
        { key: "virtual-node.interlink/no-schedule", effect: "NoExecute" },
      ]),
    ).toEqual([own, "drain:NoExecute", "odd:NoSchedule"]);
  });
});
