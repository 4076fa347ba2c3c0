import type { CpuStats, MemoryStats, PodStats, StatsAnswer } from "@interlink/protocol";
import type { RuntimeStats } from "../runtime/container-runtime.ts";
import type { FindPod } from "./sessions.ts";

/** What a runtime measured, by pod; of pods that are known. A pod's own numbers are its containers' together. */
export function statsAnswer(measured: RuntimeStats, find: FindPod): StatsAnswer {
  const byPod = new Map<string, RuntimeStats["containers"]>();
  for (const container of measured.containers) {
    byPod.set(container.uid, [...(byPod.get(container.uid) ?? []), container]);
  }
  const pods = [...byPod].flatMap(([uid, own]): PodStats[] => {
    const pod = find(uid);
    const [first] = own;
    if (pod === undefined || first === undefined) return [];
    const { name, namespace } = pod.plan;
    const earliest = own.reduce((a, b) => (b.startTime < a.startTime ? b : a), first);
    const readyAt = pod.record.sandbox?.readyAt;
    const network = measured.network?.get(uid);
    const cpu = together(own.map((one) => one.cpu));
    const memory = together(own.map((one) => one.memory));
    return [
      {
        podRef: { name, namespace, uid },
        startTime: readyAt === undefined ? earliest.startTime : new Date(readyAt).toISOString(),
        containers: own.map(({ uid: _uid, containerName, ...stats }) => ({
          name: containerName,
          ...stats,
        })),
        ...(cpu && { cpu }),
        ...(memory && { memory }),
        ...(network && { network }),
      },
    ];
  });
  return { ...(measured.node && { node: measured.node }), pods };
}

/** Sums of what all have measured; a part would be a wrong whole. `time` is the oldest sample's. */
function together<T extends CpuStats | MemoryStats>(
  all: readonly (T | undefined)[],
): T | undefined {
  const measured = all.filter((one) => one !== undefined);
  const [first] = measured;
  if (first === undefined || measured.length < all.length) return undefined;
  const numbers = measured.map(({ time: _time, ...rest }) => rest as Record<string, number>);
  const sums: Record<string, number> = {};
  for (const key of Object.keys(numbers[0] ?? {})) {
    const values = numbers.map((one) => one[key]).filter((value) => value !== undefined);
    if (values.length === all.length) sums[key] = values.reduce((a, b) => a + b, 0);
  }
  const time = measured.map((one) => one.time).reduce((a, b) => (b < a ? b : a));
  return { ...sums, time } as T;
}
