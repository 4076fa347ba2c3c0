import type { ContainerStats, PodStats } from "@interlink/protocol";
import type { NodeFacts } from "../backend.ts";
import { podCpu, podMemory } from "./node-usage.ts";
import { hasBoth, type Usage } from "./usage.ts";

/**
 * `/stats/summary` (k8s.io/kubelet/pkg/apis/stats/v1alpha1). Only CPU and memory: for old metrics-servers, which drop a
 * pod with a container of which one of these is missing, so that such a container is left out.
 */
export function summary(
  { name: nodeName, startTime }: Pick<NodeFacts, "name" | "startTime">,
  usage: Usage,
  onlyCpuAndMemory: boolean,
): object {
  const { cpu, memory, fs } = usage.node;
  return {
    node: {
      nodeName,
      startTime,
      ...present({ cpu, memory, fs: onlyCpuAndMemory ? undefined : fs }),
    },
    pods: usage.pods.map(({ stats }) => podSummary(stats, onlyCpuAndMemory)),
  };
}

function podSummary(stats: PodStats, onlyCpuAndMemory: boolean): object {
  const { podRef, startTime, containers, network } = stats;
  const shown = onlyCpuAndMemory ? containers.filter(hasBoth) : containers;
  return {
    podRef,
    startTime,
    containers: shown.map((one) => containerSummary(one, onlyCpuAndMemory)),
    ...present({ cpu: podCpu(stats), memory: podMemory(stats) }),
    ...(network === undefined || onlyCpuAndMemory
      ? {}
      : { network: { ...network, interfaces: [interfaceOf(network)] } }),
  };
}

function containerSummary(container: ContainerStats, onlyCpuAndMemory: boolean): object {
  const { name, startTime, cpu, memory, rootfs, logs } = container;
  const disks = onlyCpuAndMemory ? {} : { rootfs, logs };
  return { name, startTime, ...present({ cpu, memory, ...disks }) };
}

function interfaceOf({ time: _time, ...counted }: NonNullable<PodStats["network"]>): object {
  return counted;
}

function present(parts: Readonly<Record<string, object | undefined>>): object {
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));
}
