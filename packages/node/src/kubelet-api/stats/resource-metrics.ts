import type { ContainerStats, PodStats } from "@interlink/protocol";
import { family, positive, type Sample, seconds, unixSeconds } from "./exposition.ts";
import { podCpu, podMemory } from "./node-usage.ts";
import { hasBoth, type Usage } from "./usage.ts";

/**
 * `/metrics/resource`, which metrics-server reads. It drops a pod that has a container without CPU or memory, hence
 * only containers with both are written; and every sample has the time at which it was measured. No usage: it could
 * not be learnt, which is told as an error.
 */
export function resourceMetrics(usage: Usage | undefined): string {
  const failed = family("scrape_error", "gauge", "1 if there was an error while getting usage.", [
    { labels: {}, value: usage === undefined ? 1 : 0 },
  ]);
  const failedNow = failed.replaceAll("scrape_error", "resource_scrape_error");
  if (usage === undefined) return failed + failedNow;
  const { cpu, memory } = usage.node;
  const containers = usage.pods.flatMap(({ stats }) =>
    stats.containers.filter(hasBoth).map((container) => ({ container, podRef: stats.podRef })),
  );
  const ofContainers = (sample: (container: ContainerStats) => Omit<Sample, "labels">): Sample[] =>
    containers.map(({ container, podRef: { namespace, name: pod } }) => ({
      labels: { container: container.name, namespace, pod },
      ...sample(container),
    }));
  const ofPods = (sample: (pod: PodStats) => Omit<Sample, "labels">): Sample[] =>
    usage.pods.map(({ stats }) => ({
      labels: { namespace: stats.podRef.namespace, pod: stats.podRef.name },
      ...sample(stats),
    }));
  return [
    family(
      "container_cpu_usage_seconds_total",
      "counter",
      "CPU time of the container, in seconds.",
      ofContainers((one) => ({
        value: seconds(one.cpu?.usageCoreNanoSeconds),
        time: one.cpu?.time,
      })),
    ),
    family(
      "container_memory_working_set_bytes",
      "gauge",
      "Working set of the container.",
      ofContainers((one) => ({
        value: positive(one.memory?.workingSetBytes),
        time: one.memory?.time,
      })),
    ),
    family(
      "container_start_time_seconds",
      "gauge",
      "Start of the container since unix epoch.",
      ofContainers((one) => ({ value: unixSeconds(one.startTime) })),
    ),
    family("node_cpu_usage_seconds_total", "counter", "CPU time of the node, in seconds.", [
      { labels: {}, value: seconds(cpu?.usageCoreNanoSeconds), time: cpu?.time },
    ]),
    family("node_memory_working_set_bytes", "gauge", "Working set of the node.", [
      { labels: {}, value: positive(memory?.workingSetBytes), time: memory?.time },
    ]),
    family(
      "pod_cpu_usage_seconds_total",
      "counter",
      "CPU time of the pod, in seconds.",
      ofPods((pod) => {
        const one = podCpu(pod);
        return { value: seconds(one?.usageCoreNanoSeconds), time: one?.time };
      }),
    ),
    family(
      "pod_memory_working_set_bytes",
      "gauge",
      "Working set of the pod.",
      ofPods((pod) => {
        const one = podMemory(pod);
        return { value: positive(one?.workingSetBytes), time: one?.time };
      }),
    ),
    failedNow,
    failed,
  ].join("");
}
