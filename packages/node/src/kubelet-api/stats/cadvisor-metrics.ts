import { parseQuantity, tryParseQuantity } from "@interlink/kube";
import { allContainers, type ContainerStats } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { family, positive, type Sample, seconds } from "./exposition.ts";
import type { Usage } from "./usage.ts";

/** `/metrics/cadvisor`: the series that dashboards need, as far as the site measures them. */
export function cadvisorMetrics(
  usage: Usage | undefined,
  capacity: Readonly<Record<string, string>>,
): string {
  const containers = (usage?.pods ?? []).flatMap(({ pod, stats }) =>
    stats.containers.map((one) => ({ one, labels: labelsOf(pod, one.name) })),
  );
  const each = (
    value: (one: ContainerStats) => number | undefined,
    time: (one: ContainerStats) => string | undefined,
    more: Record<string, string> = {},
  ): Sample[] =>
    containers.map(({ one, labels }) => ({
      labels: { ...labels, ...more },
      value: positive(value(one)),
      time: time(one),
    }));
  const network = (value: "rxBytes" | "txBytes"): Sample[] =>
    (usage?.pods ?? []).map(({ pod, stats }) => ({
      labels: { interface: stats.network?.name ?? "", ...labelsOf(pod, "") },
      value: stats.network?.[value],
      time: stats.network?.time,
    }));
  return [
    family(
      "container_cpu_usage_seconds_total",
      "counter",
      "CPU time, in seconds.",
      each(
        (one) => seconds(one.cpu?.usageCoreNanoSeconds),
        (one) => one.cpu?.time,
        { cpu: "total" },
      ),
    ),
    family(
      "container_memory_usage_bytes",
      "gauge",
      "Memory in use.",
      each(
        (one) => one.memory?.usageBytes,
        (one) => one.memory?.time,
      ),
    ),
    family(
      "container_memory_working_set_bytes",
      "gauge",
      "Memory in use without cached files.",
      each(
        (one) => one.memory?.workingSetBytes,
        (one) => one.memory?.time,
      ),
    ),
    family(
      "container_memory_rss",
      "gauge",
      "Anonymous memory.",
      each(
        (one) => one.memory?.rssBytes,
        (one) => one.memory?.time,
      ),
    ),
    family(
      "container_fs_usage_bytes",
      "gauge",
      "Disk in use by the container's own files.",
      each(
        (one) => one.rootfs?.usedBytes,
        (one) => one.rootfs?.time,
      ),
    ),
    family(
      "container_network_receive_bytes_total",
      "counter",
      "Bytes received.",
      network("rxBytes"),
    ),
    family("container_network_transmit_bytes_total", "counter", "Bytes sent.", network("txBytes")),
    family("machine_cpu_cores", "gauge", "CPUs that the node offers.", [
      { labels: {}, value: amount(capacity["cpu"]) },
    ]),
    family("machine_memory_bytes", "gauge", "Memory that the node offers.", [
      { labels: {}, value: amount(capacity["memory"]) },
    ]),
  ].join("");
}

/** `container` is "" for the pod as a whole. */
function labelsOf(pod: Pod, container: string): Record<string, string> {
  const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
  const image = allContainers(pod).find((one) => one.name === container)?.image ?? "";
  const id = container === "" ? `/pod${uid}` : `/pod${uid}/${container}`;
  return { container, id, image, name: container, namespace, pod: name };
}

function amount(text: string | undefined): number | undefined {
  const quantity = tryParseQuantity(text ?? "");
  const one = parseQuantity("1").nanos;
  return quantity === undefined ? undefined : Number(quantity.nanos) / Number(one);
}
