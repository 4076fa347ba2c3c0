import { pause } from "@interlink/kube";
import type { Pod } from "kubernetes-types/core/v1.js";
import { arriving } from "../load/arrivals.ts";
import { cancelLoop, sbatchLoop } from "../load/sbatch-loop.ts";
import type { BenchContext, Findings, Scenario } from "../scenario.ts";
import { CREATES_AT_ONCE, SlurmPods, uidOf } from "../slurm/slurm-pods.ts";
import { SlurmSite } from "../slurm/slurm-site.ts";
import { measured } from "../stats/measure.ts";

/** Issue 5, Done means. */
const AIM_SUBMIT = 0.8;
/** Commands per minute with the most pods, beside the fewest, that count as the same: one more or less in a minute. */
const FLAT = 1.25;
/** What the plugin runs at the same time; the plain loop may do no less. */
const SBATCH_AT_ONCE = 8;
/** After a change Slurm is asked more often for so long; longer, so that this is over. */
const QUIET_MS = 25_000;

/** What the Slurm plugin adds to Slurm. */
export const slurm: Scenario = {
  name: "slurm",
  title:
    "50 and 500 jobs of the Slurm plugin queued and running at once, beside a plain loop of sbatch",
  timeoutMs: 2_400_000,
  run,
};

/** How much is done. */
interface Size {
  /** Right before submissions are measured: a plugin runs for months, and its code is compiled in its first minutes. */
  warm: number;
  few: number;
  many: number;
  /** The ways to submit take turns with so many jobs, so that what else the machine does hits all alike. */
  round: number;
  /** As often; their pods are deleted again, but for the last. */
  rounds: number;
  /** Commands are counted for so long, and pods end within it. */
  minuteMs: number;
}

async function run(context: BenchContext): Promise<Findings> {
  const { quick } = context;
  const size: Size = quick
    ? { warm: 6, few: 4, many: 12, round: 6, rounds: 3, minuteMs: 5000 }
    : { warm: 1000, few: 50, many: 500, round: 250, rounds: 4, minuteMs: 60_000 };
  await using site = await SlurmSite.start(context);
  await using pods = new SlurmPods(site);
  const found: Findings = { measures: [], distributions: [], aims: [], notes: [] };

  // The first container costs Apptainer more than all others.
  const first = await pods.plan(1);
  await pods.create(first, context.signal);
  await pods.release(first, context.signal);

  const few = await life(context, site, pods, found, await pods.plan(size.few), size);
  const many = await submitting(context, site, pods, found, size);
  const lots = await life(context, site, pods, found, many, size);
  // Of a few seconds, one command more or less is only noise.
  if (!quick) flat(found, few, lots, size);
  found.notes.push(
    `${site.version}, with their usual settings in the plugin; their files, and the plugin's, lie on ${site.disk}. All jobs share the cores of this machine with Slurm. Submitting, after ${size.warm} to warm up: ${CREATES_AT_ONCE} creates at once, of which the plugin runs ${SBATCH_AT_ONCE} sbatch at once. The plain loop is xargs, as the same user with the same script, one after another as a loop is, and ${SBATCH_AT_ONCE} at once. All on hold, in turns of ${size.round}, ${size.rounds} of them.`,
    `Commands are those that ask Slurm or order something (squeue, scontrol, scancel, sinfo, sacct); sbatch is one a pod.`,
    ...(await site.parts.problems()),
  );
  return found;
}

/** Submits in turns; gives the pods that are left in the queue. */
async function submitting(
  { progress, signal }: BenchContext,
  site: SlurmSite,
  pods: SlurmPods,
  found: Findings,
  { warm, many, round, rounds }: Size,
): Promise<Pod[]> {
  progress("warming up");
  for (let done = 0; done < warm; done += round) {
    const some = await pods.plan(round);
    await pods.create(some, signal);
    await pods.delete(some, signal);
  }
  const took = { plugin: 0, loop: 0, loops: 0, cpu: 0 };
  const kept: Pod[] = [];
  for (let turn = 0; turn < rounds; turn += 1) {
    progress(
      `${round} jobs submitted, by the plugin and by a loop: ${turn + 1} of ${rounds} times`,
    );
    const more = await pods.plan(round);
    const before = (await site.parts.cpu())["plugin"] ?? Number.NaN;
    took.plugin += await pods.create(more, signal);
    took.cpu += ((await site.parts.cpu())["plugin"] ?? Number.NaN) - before;
    // The files of a job are there as long as its pod is.
    const loop = { user: site.user, script: `${site.jobFolder(uidOf(more[0] as Pod))}/job.sh` };
    took.loop += await sbatchLoop(round, { ...loop, atOnce: 1 });
    took.loops += await sbatchLoop(round, { ...loop, atOnce: SBATCH_AT_ONCE });
    await cancelLoop(site.user);
    if ((rounds - turn) * round > many) await pods.delete(more, signal);
    else kept.push(...more);
  }
  submitted(found, round * rounds, took);
  return kept;
}

/** Commands per minute while nothing happens, and while all pods end. */
interface Counts {
  queued: number;
  running: number;
  ending: number;
}

/** From the queue to the end, for pods that were created or will be, on hold. */
async function life(
  context: BenchContext,
  site: SlurmSite,
  pods: SlurmPods,
  found: Findings,
  all: readonly Pod[],
  { minuteMs, few }: Size,
): Promise<Counts> {
  const { progress, signal, quick } = context;
  const name = `${all.length} jobs`;
  if (all.length === few) await pods.create(all, signal);
  const quiet = quick ? 1000 : QUIET_MS;

  progress(`${name} in the queue`);
  await pause(quiet, signal);
  const queued = await perMinute(site, minuteMs, () => pause(minuteMs, signal));
  progress(`${name} begin`);
  const began = await pods.release(all, signal);
  progress(`${name} run`);
  await pause(quiet, signal);
  const before = (await site.parts.cpu())["plugin"] ?? Number.NaN;
  const running = await perMinute(site, minuteMs, () => pause(minuteMs, signal));
  const cpu = (((await site.parts.cpu())["plugin"] ?? Number.NaN) - before) * (60_000 / minuteMs);
  progress(`${name} end`);
  const ending = await perMinute(site, minuteMs, () =>
    arriving(all, (all.length * 1000) / minuteMs, signal, (pod) => pods.end(pod)),
  );
  const lags = await pods.lags(all, signal);
  progress(`${name} are deleted`);
  const deleted = await pods.delete(all, signal);
  found.measures.push(
    { name: `${name}: released → all told to run`, value: began / 1000, unit: "s" },
    { name: `${name}: Slurm commands per minute, all in the queue`, value: queued, unit: "" },
    { name: `${name}: Slurm commands per minute, all running`, value: running, unit: "" },
    { name: `${name}: Slurm commands per minute, all ending`, value: ending, unit: "" },
    { name: `${name}: CPU of the plugin per minute, all running`, value: cpu, unit: "CPU ms" },
    { name: `${name}: delete all, ended`, value: deleted / 1000, unit: "s" },
  );
  found.distributions.push(measured(`${name}: container ends → status told`, "ms", lags));
  return { queued, running, ending };
}

async function perMinute(
  { commands }: SlurmSite,
  minuteMs: number,
  work: () => Promise<unknown>,
): Promise<number> {
  const before = await commands.count();
  const begun = performance.now();
  await work();
  const rest = minuteMs - (performance.now() - begun);
  if (rest > 0) await pause(rest, new AbortController().signal);
  return ((await commands.count()) - before) * (60_000 / (performance.now() - begun));
}

/** Milliseconds that submitting all took: by the plugin, by a plain loop, and by as many loops at once. */
interface Took {
  plugin: number;
  loop: number;
  loops: number;
  /** CPU of the plugin, without its sbatch. */
  cpu: number;
}

function submitted(found: Findings, count: number, took: Took): void {
  const rate = (milliseconds: number): number => (1000 * count) / milliseconds;
  const ratio = took.loop / took.plugin;
  found.measures.push(
    { name: "submit rate, by the plugin", value: rate(took.plugin), unit: "/s" },
    { name: "submit rate, plain loop of sbatch", value: rate(took.loop), unit: "/s" },
    { name: `submit rate, ${SBATCH_AT_ONCE} plain loops`, value: rate(took.loops), unit: "/s" },
    { name: "submit rate, plugin / plain loop", value: ratio, unit: "x" },
    {
      name: `submit rate, plugin / ${SBATCH_AT_ONCE} plain loops`,
      value: took.loops / took.plugin,
      unit: "x",
    },
    { name: "CPU of the plugin per pod submitted", value: took.cpu / count, unit: "CPU ms" },
  );
  found.aims.push({
    wanted: `The plugin submits at least ${AIM_SUBMIT} times as fast as a plain loop of sbatch.`,
    got: `${ratio.toFixed(2)} times`,
    met: ratio >= AIM_SUBMIT,
  });
}

function flat(found: Findings, few: Counts, many: Counts, size: Size): void {
  for (const when of ["queued", "running", "ending"] as const) {
    const [least, most] = [few[when], many[when]];
    found.aims.push({
      wanted: `Slurm is not asked more often for ${size.many} jobs than for ${size.few} (${when}): at most ${FLAT} times.`,
      got: `${most.toFixed(0)} commands per minute beside ${least.toFixed(0)}`,
      met: most <= FLAT * least,
    });
  }
}
