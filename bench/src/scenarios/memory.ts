import { paths, pause } from "@interlink/kube";
import { atOnce } from "../load/at-once.ts";
import { processesIn, proportionalKib } from "../parts/leftovers.ts";
import { startSystem } from "../parts/system.ts";
import { benchPod, NAMESPACE } from "../pods/bench-pod.ts";
import { deletePods } from "../pods/delete-pods.ts";
import { PodWatch } from "../pods/pod-watch.ts";
import type { BenchContext, Findings, Scenario } from "../scenario.ts";

/** Longer than the scenario may take: a pod that is left behind ends by itself. */
const POD_SECONDS = 900;

/** What each process needs, idle and with many pods that run. */
export const memory: Scenario = {
  name: "memory",
  title: "resident memory of each process, idle and with 1,000 running pods",
  timeoutMs: 420_000,
  run,
};

async function run(context: BenchContext): Promise<Findings> {
  const { quick, signal, progress, directory } = context;
  const count = quick ? 5 : 1000;
  const settleMs = quick ? 500 : 5_000;
  await using system = await startSystem(context);
  await using watch = new PodWatch(system.kube);
  await watch.synced(signal);
  await pause(settleMs, signal);
  const idle = await system.parts.memory();

  progress(`starting ${count} pods`);
  const names = Array.from({ length: count }, (_, index) => `pod-${index}`);
  await atOnce(names, 16, (name) =>
    system.kube.create(
      paths.pods.collection(NAMESPACE),
      benchPod(name, ["sleep", String(POD_SECONDS)]),
      { signal, timeoutMs: 60_000 },
    ),
  );
  await watch.all(names, "running", signal, 60_000 + count * 200);
  await pause(settleMs, signal);
  const full = await system.parts.memory();
  const podsKib = await proportionalKib(await processesIn(directory));

  progress(`deleting ${count} pods`);
  await deletePods(system.kube, watch, signal);
  await pause(settleMs, signal);
  const after = await system.parts.memory();

  const found: Findings = { measures: [], distributions: [], aims: [], notes: [] };
  for (const [part, before] of Object.entries(idle)) {
    const [loaded = Number.NaN, left = Number.NaN] = [full[part], after[part]];
    found.measures.push(
      { name: `${part}: idle`, value: before / 1024, unit: "MiB" },
      { name: `${part}: with ${count} pods`, value: loaded / 1024, unit: "MiB" },
      { name: `${part}: per pod`, value: (loaded - before) / count, unit: "KiB" },
      { name: `${part}: after they are gone`, value: left / 1024, unit: "MiB" },
    );
  }
  found.measures.push({
    name: "processes of a pod (runner and command, shared pages shared out)",
    value: podsKib / count,
    unit: "KiB",
  });
  found.notes.push(
    "Resident memory holds garbage that was not collected yet; the difference of two runs is real only if it is large.",
    ...(await system.parts.problems()),
  );
  return found;
}
