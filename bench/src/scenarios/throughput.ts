import { startSystem } from "../parts/system.ts";
import { deletePods } from "../pods/delete-pods.ts";
import { PodWatch } from "../pods/pod-watch.ts";
import type { Aim, BenchContext, Findings, Scenario } from "../scenario.ts";
import { measured } from "../stats/measure.ts";
import { type Storm, storm } from "./storm.ts";

/** Growth of the cost per pod, from the fewest to the most pods, that is taken for noise. */
const COST_GROWTH = 1.25;
/** Growth of the wait when pods run five times as long that is taken for noise. */
const WAIT_GROWTH = 2;
const LONG_SECONDS = 5;
const LEAST_TO_COMPARE = 100;

/** Many pods at once on the process plugin, beside a plain loop that starts the same commands. */
export const throughput: Scenario = {
  name: "throughput",
  title: "100, 300 and 1,000 one-second pods at once on the process plugin",
  timeoutMs: 600_000,
  run,
};

async function run(context: BenchContext): Promise<Findings> {
  const { quick, signal, progress } = context;
  const sizes = quick ? [5, 15] : [100, 300, 1000];
  const most = sizes.at(-1) ?? 0;
  await using system = await startSystem(context);
  await using watch = new PodWatch(system.kube);
  await watch.synced(signal);

  // The first pods pay for code that runs for the first time, which would hide growth.
  progress("warming up");
  await storm(context, system, watch, { name: "warm", count: quick ? 2 : 300, seconds: 1 });
  await deletePods(system.kube, watch, signal);

  const storms: Storm[] = [];
  const deletes: number[] = [];
  // The most pods first: what is still to be warmed up then counts against us, not for us.
  for (const count of sizes.toReversed()) {
    progress(`${count} pods of 1 s`);
    storms.unshift(await storm(context, system, watch, { name: `s${count}`, count, seconds: 1 }));
    deletes.unshift(await deletePods(system.kube, watch, signal));
  }
  progress(`${most} pods of ${LONG_SECONDS} s`);
  const long = { name: "long", count: most, seconds: LONG_SECONDS };
  const longStorm = await storm(context, system, watch, long);
  await deletePods(system.kube, watch, signal);
  return findings(storms, deletes, longStorm, await system.parts.problems());
}

function findings(
  storms: readonly Storm[],
  deletes: readonly number[],
  long: Storm,
  notes: string[],
): Findings {
  const { 0: few } = storms;
  const many = storms.at(-1);
  if (few === undefined || many === undefined) throw new Error("no storm was measured");
  const found: Findings = { measures: [], distributions: [], aims: [], notes };
  for (const [index, one] of storms.entries()) {
    const { count } = one;
    found.measures.push(
      { name: `${count} pods: total`, value: one.totalMs / 1000, unit: "s" },
      { name: `${count} pods: rate`, value: (1000 * count) / one.totalMs, unit: "/s" },
      { name: `${count} pods: plain loop, total`, value: one.plainMs / 1000, unit: "s" },
      { name: `${count} pods: total / plain loop`, value: one.totalMs / one.plainMs, unit: "x" },
      { name: `${count} pods: delete all`, value: (deletes[index] ?? 0) / 1000, unit: "s" },
    );
    for (const [part, cpu] of Object.entries(one.cpuPerPod)) {
      found.measures.push({
        name: `${count} pods: CPU per pod, ${part}`,
        value: cpu,
        unit: "CPU ms",
      });
    }
    found.distributions.push(
      measured(`${count} pods: asked → command begins`, "ms", one.waits),
      measured(`${count} pods: the same in the plain loop`, "ms", one.plainWaits),
      measured(`${count} pods: command ends → seen Succeeded`, "ms", one.lags),
    );
  }
  const waits = measured(
    `${long.count} pods of ${LONG_SECONDS} s: asked → command begins`,
    "ms",
    long.waits,
  );
  found.distributions.push(waits);
  const shortWaits = measured("", "ms", many.waits);
  found.aims.push(noneLost([...storms, long]));
  // Of a few pods, growth is only noise.
  if (few.count < LEAST_TO_COMPARE) return found;
  found.aims.push(
    growth(
      `Cost per pod does not grow: CPU time of our parts per pod at ${many.count} pods is at most ${COST_GROWTH}x that at ${few.count}.`,
      ours(many) / ours(few),
      COST_GROWTH,
    ),
    growth(
      `Pods never queue behind one another: the p99 wait of ${long.count} pods is at most ${WAIT_GROWTH}x as long when each runs ${LONG_SECONDS} s instead of 1 s.`,
      waits.p99 / shortWaits.p99,
      WAIT_GROWTH,
    ),
  );
  return found;
}

/** The parts that are compared: the embedded cluster stands in for somebody else's, and the runners are the pods'. */
function ours({ cpuPerPod }: Storm): number {
  return ["node", "server", "plugin"].reduce((sum, part) => sum + (cpuPerPod[part] ?? 0), 0);
}

function growth(wanted: string, factor: number, limit: number): Aim {
  return { wanted, got: `${factor.toFixed(2)}x`, met: factor <= limit };
}

function noneLost(storms: readonly Storm[]): Aim {
  const all = storms.reduce((sum, { count }) => sum + count, 0);
  const succeeded = storms.reduce((sum, storm) => sum + storm.succeeded, 0);
  return {
    wanted: "Every pod runs once and succeeds.",
    got: `${succeeded} of ${all} succeeded`,
    met: succeeded === all,
  };
}
