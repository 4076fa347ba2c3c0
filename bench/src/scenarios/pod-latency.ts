import { paths } from "@interlink/kube";
import { atOnce } from "../load/at-once.ts";
import { startSystem } from "../parts/system.ts";
import { benchPod, NAMESPACE } from "../pods/bench-pod.ts";
import { PodWatch } from "../pods/pod-watch.ts";
import { wallNow } from "../pods/stamps.ts";
import type { BenchContext, Findings, Scenario } from "../scenario.ts";
import { measured } from "../stats/measure.ts";

const SLEEP_SECONDS = 0.2;
/** Pods that are there at the same time: few, so that none waits for the machine. */
const AT_ONCE = 4;

/** How long one pod takes, when the system has little to do. */
export const podLatency: Scenario = {
  name: "pod-latency",
  title: `create → Running and → Succeeded, ${AT_ONCE} pods at a time that sleep ${SLEEP_SECONDS} s`,
  timeoutMs: 180_000,
  run,
};

async function run(context: BenchContext): Promise<Findings> {
  const { quick, signal, progress } = context;
  await using system = await startSystem(context);
  let events = 0;
  await using watch = new PodWatch(system.kube, () => events++);
  await watch.synced(signal);

  const one = async (name: string): Promise<{ posted: number; name: string }> => {
    const pod = benchPod(name, ["sleep", String(SLEEP_SECONDS)]);
    const posted = wallNow();
    await system.kube.create(paths.pods.collection(NAMESPACE), pod, { signal });
    await watch.all([name], "ended", signal, 30_000);
    return { posted, name };
  };
  // The first pods pay for code that runs for the first time.
  await atOnce(names("warm", quick ? 1 : 10), AT_ONCE, one);
  const count = quick ? 5 : 100;
  progress(`running ${count} pods`);
  const eventsBefore = events;
  const ran = await atOnce(names("pod", count), AT_ONCE, one);

  const toRunning: number[] = [];
  const toSucceeded: number[] = [];
  let failed = 0;
  for (const { posted, name } of ran) {
    const seen = watch.get(name);
    if (seen?.running !== undefined) toRunning.push(seen.running - posted);
    if (seen?.pod.status?.phase !== "Succeeded") failed++;
    else if (seen.ended !== undefined) toSucceeded.push(seen.ended - posted);
  }
  return {
    measures: [
      {
        name: "watch events per pod (its creation and every change of the object)",
        value: (events - eventsBefore) / count,
        unit: "",
      },
    ],
    distributions: [
      ...(toRunning.length > 0 ? [measured("create → Running", "ms", toRunning)] : []),
      ...(toSucceeded.length > 0 ? [measured("create → Succeeded", "ms", toSucceeded)] : []),
    ],
    aims: [
      {
        wanted: "Every pod is seen Running, then Succeeded.",
        got: `${toRunning.length} of ${count} seen Running, ${toSucceeded.length} Succeeded, ${failed} failed`,
        met: toRunning.length === count && toSucceeded.length === count,
      },
    ],
    notes: await system.parts.problems(),
  };
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}
