import type { PodStats } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { describe, expect, it, test } from "vitest";
import { cadvisorMetrics } from "./cadvisor-metrics.ts";
import { NodeUsageMeter } from "./node-usage.ts";
import { resourceMetrics } from "./resource-metrics.ts";
import { SharedAnswer } from "./shared-answer.ts";
import { summary } from "./summary.ts";
import type { Usage } from "./usage.ts";

const startTime = "2026-01-01T00:00:00Z";
const time = "2026-01-01T00:01:00.5Z";
const container = (name: string, seconds: number, bytes: number): PodStats["containers"][0] => ({
  name,
  startTime,
  ...(seconds > 0 ? { cpu: { time, usageCoreNanoSeconds: seconds * 1e9 } } : {}),
  ...(bytes > 0 ? { memory: { time, workingSetBytes: bytes } } : {}),
});
const aPod = (uid: string, ...containers: PodStats["containers"]): PodStats => ({
  podRef: { name: `p-${uid}`, namespace: "ns", uid },
  startTime,
  containers,
});
const usageOf = (...all: PodStats[]): Usage => ({
  node: new NodeUsageMeter().measure(undefined, all),
  pods: all.map((stats) => ({
    stats,
    pod: {
      metadata: { name: stats.podRef.name, namespace: "ns", uid: stats.podRef.uid },
      spec: { containers: stats.containers.map(({ name }) => ({ name, image: `${name}:1` })) },
    } satisfies Pod,
  })),
});

describe("/metrics/resource", () => {
  test("has each sample with its labels in order and the time of its measurement", () => {
    const text = resourceMetrics(usageOf(aPod("a", container("c", 4.5, 15_000_000))));
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const at = Date.parse(time);
    expect(lines).toEqual([
      `container_cpu_usage_seconds_total{container="c",namespace="ns",pod="p-a"} 4.5 ${at}`,
      `container_memory_working_set_bytes{container="c",namespace="ns",pod="p-a"} 15000000 ${at}`,
      `container_start_time_seconds{container="c",namespace="ns",pod="p-a"} ${Date.parse(startTime) / 1000}`,
      `node_cpu_usage_seconds_total 4.5 ${at}`,
      `node_memory_working_set_bytes 15000000 ${at}`,
      `pod_cpu_usage_seconds_total{namespace="ns",pod="p-a"} 4.5 ${at}`,
      `pod_memory_working_set_bytes{namespace="ns",pod="p-a"} 15000000 ${at}`,
      "resource_scrape_error 0",
      "scrape_error 0",
    ]);
    expect(text).toContain("# TYPE container_cpu_usage_seconds_total counter\n");
    expect(text).toContain("# TYPE pod_memory_working_set_bytes gauge\n");
  });

  test("never tells a zero, nor a container of which a half is missing", () => {
    const some = aPod(
      "a",
      container("whole", 1, 2),
      container("cpu", 1, 0),
      container("none", 0, 0),
    );
    const text = resourceMetrics(usageOf(some, aPod("b")));
    expect(text).toContain('container="whole"');
    expect(text).not.toMatch(/container="(cpu|none)"|pod="p-b"/);
    expect(text).not.toMatch(/_(total|bytes|seconds)\S* 0/);
  });

  test("says that usage could not be learnt", () => {
    const values = resourceMetrics(undefined).match(/^[^#].*/gm);
    expect(values).toEqual(["scrape_error 1", "resource_scrape_error 1"]);
  });

  test("escapes what would end a label", () => {
    const text = resourceMetrics(usageOf(aPod("a", container('c"\\\n', 1, 1))));
    expect(text).toContain('{container="c\\"\\\\\\n",namespace="ns"');
  });
});

describe("/stats/summary", () => {
  const facts = { name: "n", startTime };

  test("has the schema of a kubelet, with what was measured and nothing else", () => {
    const network = { time, name: "eth0", rxBytes: 5, txBytes: 6 };
    const stats = { ...aPod("a", container("c", 2, 30), container("idle", 0, 0)), network };
    expect(summary(facts, usageOf(stats), false)).toEqual({
      node: {
        nodeName: "n",
        startTime,
        cpu: { time, usageCoreNanoSeconds: 2e9 },
        memory: { time, workingSetBytes: 30 },
      },
      pods: [
        {
          podRef: { name: "p-a", namespace: "ns", uid: "a" },
          startTime,
          containers: [
            {
              name: "c",
              startTime,
              cpu: { time, usageCoreNanoSeconds: 2e9 },
              memory: { time, workingSetBytes: 30 },
            },
            { name: "idle", startTime },
          ],
          cpu: { time, usageCoreNanoSeconds: 2e9 },
          memory: { time, workingSetBytes: 30 },
          network: { ...network, interfaces: [{ name: "eth0", rxBytes: 5, txBytes: 6 }] },
        },
      ],
    });
  });

  test("of CPU and memory only leaves out what would drop the pod", () => {
    const network = { time, name: "eth0" };
    const stats = { ...aPod("a", container("c", 2, 30), container("idle", 0, 0)), network };
    const { pods } = summary(facts, usageOf(stats), true) as { pods: object[] };
    expect(pods[0]).toMatchObject({ containers: [{ name: "c" }] });
    expect(pods[0]).not.toHaveProperty("network");
  });
});

describe("the usage of the node", () => {
  it("is what the site says of itself, as far as it does", () => {
    const node = { cpu: { time, usageCoreNanoSeconds: 77 } };
    const measured = new NodeUsageMeter().measure(node, [aPod("a", container("c", 1, 9))]);
    expect(measured).toEqual({ ...node, memory: { time, workingSetBytes: 9 } });
  });

  it("never counts backwards: not when a container starts again, nor when a pod goes", () => {
    const meter = new NodeUsageMeter();
    const counted = (...all: PodStats[]) =>
      meter.measure(undefined, all).cpu?.usageCoreNanoSeconds ?? 0;
    const restarted = { ...container("c", 1, 9), startTime: "2026-01-01T00:00:30Z" };
    expect(counted(aPod("a", container("c", 5, 9)), aPod("b", container("c", 10, 9)))).toBe(15e9);
    expect(counted(aPod("a", restarted), aPod("b", container("c", 12, 9)))).toBe(18e9);
    expect(
      counted(aPod("a", { ...restarted, ...container("c", 3, 9), startTime: restarted.startTime })),
    ).toBe(20e9);
  });

  it("is nothing, and not zero, without pods", () => {
    expect(new NodeUsageMeter().measure(undefined, [])).toEqual({});
  });
});

test("/metrics/cadvisor has the series that dashboards look for", () => {
  const network = { time, name: "eth0", rxBytes: 5, txBytes: 6 };
  const text = cadvisorMetrics(usageOf({ ...aPod("a", container("c", 2, 30)), network }), {
    cpu: "1500m",
    memory: "2Ki",
  });
  const labels = 'container="c",id="/poda/c",image="c:1",name="c",namespace="ns",pod="p-a"';
  expect(text).toContain(`container_cpu_usage_seconds_total{${labels},cpu="total"} 2 `);
  expect(text).toContain(`container_memory_working_set_bytes{${labels}} 30 `);
  expect(text).toMatch(
    /container_network_receive_bytes_total\{interface="eth0",container="",.*\} 5 /,
  );
  expect(text).toContain("machine_cpu_cores 1.5\n");
  expect(text).toContain("machine_memory_bytes 2048\n");
  expect(cadvisorMetrics(undefined, {})).toBe("");
});

describe("SharedAnswer", () => {
  it("asks once for all who wait, and again when the answer is old", async () => {
    let asked = 0;
    let now = 0;
    const shared = new SharedAnswer(
      () => Promise.resolve(++asked),
      1000,
      () => now,
    );
    expect(await Promise.all([shared.get(), shared.get()])).toEqual([1, 1]);
    now = 999;
    expect(await shared.get()).toBe(1);
    now = 1000;
    expect(await shared.get()).toBe(2);
  });

  it("keeps no failure", async () => {
    let fail = true;
    const shared = new SharedAnswer(
      () => (fail ? Promise.reject(new Error("away")) : Promise.resolve("here")),
      1000,
      () => 0,
    );
    await expect(Promise.all([shared.get(), shared.get()])).rejects.toThrow("away");
    fail = false;
    expect(await shared.get()).toBe("here");
  });
});
