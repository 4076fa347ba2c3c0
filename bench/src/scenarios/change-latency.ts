import { join } from "node:path";
import { NullProvider } from "@interlink/e2e";
import { paths, pause } from "@interlink/kube";
import { servePlugin } from "@interlink/plugin-sdk";
import type { Pod } from "kubernetes-types/core/v1.js";
import { pino } from "pino";
import { atOnce } from "../load/at-once.ts";
import { startSystem } from "../parts/system.ts";
import { until } from "../parts/until.ts";
import { benchPod, NAMESPACE } from "../pods/bench-pod.ts";
import { PodWatch } from "../pods/pod-watch.ts";
import { wallNow } from "../pods/stamps.ts";
import type { BenchContext, Findings, Scenario } from "../scenario.ts";
import { measured } from "../stats/measure.ts";
import { ChangeLog } from "./change-log.ts";

/** Issue 2, Measures. */
const AIM_MS = 200;
/** Each pod changes once in this time when changes come steadily. */
const PERIOD_MS = 1_000;

/** How soon Kubernetes shows what has changed at the resource. */
export const changeLatency: Scenario = {
  name: "change-latency",
  title: "a change at the resource → the watch event of the pod object",
  timeoutMs: 180_000,
  run,
};

async function run(context: BenchContext): Promise<Findings> {
  const { quick, signal, progress, directory } = context;
  const [podCount, changes] = quick ? [5, 3] : [100, 20];
  const provider = new NullProvider();
  // In this process, so that the time of a change and that of its event come from one clock.
  await using plugin = await servePlugin(provider, {
    listen: { unixSocket: join(directory, "plugin.sock") },
    logger: pino({ level: "silent" }),
  });
  await using system = await startSystem(context, { plugin: plugin.address });
  const log = new ChangeLog();
  await using watch = new PodWatch(system.kube, (pod, at) => {
    const uid = pod.metadata?.uid ?? "";
    const shown = /^change (\d+)$/.exec(messageOf(pod))?.[1];
    if (shown !== undefined) log.shown(uid, Number(shown), at);
  });
  await watch.synced(signal);

  progress(`creating ${podCount} pods`);
  const names = Array.from({ length: podCount }, (_, index) => `pod-${index}`);
  await atOnce(names, 16, (name) =>
    system.kube.create(paths.pods.collection(NAMESPACE), benchPod(name, ["none"]), { signal }),
  );
  const pods = await watch.all(names, "running", signal, 60_000);
  const uids = pods.map(({ pod }) => pod.metadata?.uid ?? "");

  let number = 0;
  const change = (uid: string): void => {
    number++;
    log.made(uid, number, wallNow());
    provider.change(uid, { waiting: { reason: "Bench", message: `change ${number}` } });
  };
  const allShown = () => until("every change is shown", () => log.open === 0, signal, 30_000);

  // The first changes pay for code that runs for the first time.
  for (const uid of uids) change(uid);
  await allShown();
  log.take();

  progress(`${changes} changes of each pod, spread over ${(changes * PERIOD_MS) / 1000} s`);
  await steadily(uids, changes, change, signal);
  await allShown();
  const steady = measured("changes one by one", "ms", log.take());

  progress("changes of all pods at once");
  const bursts: number[] = [];
  for (let burst = 0; burst < (quick ? 2 : 10); burst++) {
    for (const uid of uids) change(uid);
    await allShown();
    bursts.push(...log.take());
  }
  const atOneTime = measured(`changes of ${podCount} pods at the same moment`, "ms", bursts);
  return {
    measures: [
      { name: "rate of the changes one by one", value: (1000 * podCount) / PERIOD_MS, unit: "/s" },
    ],
    distributions: [steady, atOneTime],
    aims: [
      {
        wanted: `A change on the resource reaches the pod object in at most ${AIM_MS} ms (p99).`,
        got: `${steady.p99.toFixed(0)} ms one by one; ${atOneTime.p99.toFixed(0)} ms when ${podCount} pods change at the same moment`,
        met: steady.p99 <= AIM_MS && atOneTime.p99 <= AIM_MS,
      },
    ],
    notes: await system.parts.problems(),
  };
}

/** Open loop: a change is made when its time has come, whether or not the earlier ones are shown. */
async function steadily(
  uids: readonly string[],
  changes: number,
  change: (uid: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const begun = performance.now();
  for (let index = 0; index < uids.length * changes; index++) {
    const due = begun + (index * PERIOD_MS) / uids.length;
    const wait = due - performance.now();
    if (wait > 0) await pause(wait, signal);
    signal.throwIfAborted();
    change(uids[index % uids.length] ?? "");
  }
}

function messageOf(pod: Pod): string {
  return pod.status?.containerStatuses?.[0]?.state?.waiting?.message ?? "";
}
