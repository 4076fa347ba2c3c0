import { type KubeClient, paths, pause } from "@interlink/kube";
import { atOnce } from "../load/at-once.ts";
import { plainLoop } from "../load/plain-loop.ts";
import type { CpuByPart, System } from "../parts/system.ts";
import { benchPod, NAMESPACE, stampedSleep } from "../pods/bench-pod.ts";
import type { PodWatch } from "../pods/pod-watch.ts";
import { openStamps, readStamps, wallNow } from "../pods/stamps.ts";
import type { BenchContext } from "../scenario.ts";

/** After the last pod has ended: what is still done for it (the last patches, sweeping) belongs to its cost. */
const SETTLE_MS = 2_000;

/** Many pods that were asked for at the same time, and the same commands in a plain loop. Times in milliseconds. */
export interface Storm {
  count: number;
  succeeded: number;
  /** From the first create to the last pod that is seen to have ended. */
  totalMs: number;
  plainMs: number;
  /** From the moment when all were asked for to that when the command of each begins. */
  waits: number[];
  plainWaits: number[];
  /** From the moment when the command ends to that when the watch shows it. */
  lags: number[];
  /** CPU milliseconds of each part, per pod. */
  cpuPerPod: CpuByPart;
}

/** Runs the plain loop, then the pods. The pods are left for the caller to delete. */
export async function storm(
  context: BenchContext,
  { parts, kube }: System,
  watch: PodWatch,
  { name, count, seconds }: { name: string; count: number; seconds: number },
): Promise<Storm> {
  const { directory, signal } = context;
  const names = Array.from({ length: count }, (_, index) => `${name}-${index}`);

  const plainStamps = await openStamps(directory, `plain-${name}`);
  const plainAsked = wallNow();
  const plainMs = await plainLoop(
    names.map((one) => stampedSleep(plainStamps, one, seconds)),
    signal,
  );
  const plainBegan = await readStamps(plainStamps);

  const stamps = await openStamps(directory, `stamps-${name}`);
  const before = await parts.cpu();
  const asked = wallNow();
  await createAll(
    kube,
    names.map((one) => benchPod(one, stampedSleep(stamps, one, seconds))),
    signal,
  );
  const seen = await watch.all(names, "ended", signal, 60_000 + count * 200 + seconds * 1000);
  const totalMs = Math.max(...seen.map(({ ended = Number.NaN }) => ended)) - asked;
  await pause(SETTLE_MS, signal);
  const cpuPerPod = perPod(before, await parts.cpu(), count);
  const began = await readStamps(stamps);

  const lags = names.flatMap((one) => {
    const [start, end] = [began.get(one), watch.get(one)?.ended];
    return start === undefined || end === undefined ? [] : [end - start - seconds * 1000];
  });
  return {
    count,
    succeeded: seen.filter(({ pod }) => pod.status?.phase === "Succeeded").length,
    totalMs,
    plainMs,
    waits: [...began.values()].map((at) => at - asked),
    plainWaits: [...plainBegan.values()].map((at) => at - plainAsked),
    lags,
    cpuPerPod,
  };
}

/** Creates them as fast as the API takes them. */
async function createAll(
  kube: KubeClient,
  pods: readonly unknown[],
  signal: AbortSignal,
): Promise<void> {
  await atOnce(pods, 32, (pod) =>
    kube.create(paths.pods.collection(NAMESPACE), pod, { signal, timeoutMs: 60_000 }),
  );
}

function perPod(before: CpuByPart, after: CpuByPart, count: number): CpuByPart {
  return Object.fromEntries(
    Object.entries(after).map(([part, used]) => [part, (used - (before[part] ?? 0)) / count]),
  );
}
