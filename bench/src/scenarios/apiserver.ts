import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "@interlink/kube";
import type { Pod } from "kubernetes-types/core/v1.js";
import { arriving } from "../load/arrivals.ts";
import { atOnce } from "../load/at-once.ts";
import { BareClient } from "../load/bare-client.ts";
import {
  keepOn,
  ownProcessors,
  type ProcessorShares,
  shareProcessors,
} from "../parts/processors.ts";
import { Parts, type System, startSystem } from "../parts/system.ts";
import { benchPod, NAMESPACE } from "../pods/bench-pod.ts";
import { deletePods } from "../pods/delete-pods.ts";
import { PodWatch } from "../pods/pod-watch.ts";
import { wallNow } from "../pods/stamps.ts";
import type { BenchContext, DistributionMeasure, Findings, Scenario } from "../scenario.ts";
import { measured } from "../stats/measure.ts";
import { percentile } from "../stats/percentile.ts";

/** Pods per second. */
const RATES = [1, 10, 20] as const;
const SECONDS = 10;
/** Longer than the scenario: a pod ends when it is deleted. */
const POD_SECONDS = "900";
/** Issue 3, Done means. */
const AIM_RATIO = 0.9;
/** A node that nobody runs: its pods are the bare client's. */
const BARE_NODE = "bare";

/** The virtual node under a real Kubernetes. */
export const apiserver: Scenario = {
  name: "apiserver",
  title: "through a real kube-apiserver: create → Running, and pods/s beside a bare client",
  timeoutMs: 600_000,
  run,
};

async function run(context: BenchContext): Promise<Findings> {
  const { quick, signal, progress, directory } = context;
  const part = join(directory, "latency");
  await mkdir(part);
  const latencies = await latency({ ...context, directory: part });
  // Kubernetes runs on machines of its own; here it has processors of its own, in both runs the same.
  const shares = shareProcessors(await ownProcessors());
  await using _kept = shares && (await keepOn(shares.others));
  // What is measured here is the node, and not how fast this machine starts processes.
  await using plugins = new Parts(context, shares);
  const plugin = await plugins.nullPlugin();
  await using system = await startSystem(context, { plugin, cluster: "real", shares });
  await system.kube.create(paths.nodes.collection(), { metadata: { name: BARE_NODE } }, { signal });
  const count = quick ? 10 : 300;
  const rounds = quick ? 1 : 3;
  const ours: number[] = [];
  const bare: number[] = [];
  let writes = 0;
  for (let round = 0; round <= rounds; round++) {
    progress(`${count} pods on the virtual node, then with a bare client (${round} of ${rounds})`);
    const node = await throughNode(system, count, `node-${round}`, signal);
    writes = node.writes / count;
    const floor = await throughBareClient(system, count, `bare-${round}`, signal, node);
    // The first pods pay for code that runs for the first time.
    if (round === 0) continue;
    ours.push((1000 * count) / node.ms);
    bare.push((1000 * count) / floor);
  }
  const [oursRate, bareRate] = [percentile(ours, 50), percentile(bare, 50)];
  const ratio = oursRate / bareRate;
  return {
    measures: [
      { name: "status writes of the node per pod, create → Running", value: writes, unit: "" },
      { name: `${count} pods at once, virtual node`, value: oursRate, unit: "/s" },
      {
        name: `${count} pods at once, bare client with the same writes`,
        value: bareRate,
        unit: "/s",
      },
      { name: "virtual node / bare client", value: ratio, unit: "x" },
    ],
    distributions: latencies,
    aims: [
      {
        wanted: `Pods per second are at least ${AIM_RATIO} of what a bare client with the same API writes reaches.`,
        got: `${ratio.toFixed(2)} (medians of ${rounds} rounds)`,
        met: ratio >= AIM_RATIO,
      },
    ],
    notes: [shared(shares), ...(await system.parts.problems())],
  };
}

function shared(shares: ProcessorShares | undefined): string {
  return shares === undefined
    ? "There is one processor: Kubernetes and what is measured share it."
    : `Pods at once: Kubernetes on processor ${shares.controlPlane}, everything else on ${shares.others}.`;
}

/** Pods of the process plugin that come one after another. */
async function latency(context: BenchContext): Promise<DistributionMeasure[]> {
  const { quick, signal, progress } = context;
  await using system = await startSystem(context, { cluster: "real" });
  await using watch = new PodWatch(system.kube);
  await watch.synced(signal);
  const found: DistributionMeasure[] = [];
  const rates = [10, ...RATES];
  for (const [round, rate] of rates.entries()) {
    progress(`${rate} pods/s for ${SECONDS} s`);
    const count = quick ? 2 : rate * SECONDS;
    const names = Array.from({ length: count }, (_, index) => `rate-${round}-${index}`);
    const posted = await arriving(names, rate, signal, async (name) => {
      const at = wallNow();
      const pod = benchPod(name, ["sleep", POD_SECONDS]);
      await system.kube.create(paths.pods.collection(NAMESPACE), pod, { signal });
      return at;
    });
    const seen = await watch.all(names, "running", signal, 60_000);
    const waits = seen.map(({ running = Number.NaN }, index) => running - (posted[index] ?? 0));
    // The first round pays for code that runs for the first time.
    if (round > 0) found.push(measured(`create → Running at ${rate} pods/s`, "ms", waits));
    await deletePods(system.kube, watch, signal);
  }
  return found;
}

interface Round {
  /** From the first create until the last pod is seen Running. */
  ms: number;
  /** After their creation, of all pods together. */
  writes: number;
  /** One of them, as it is Running. */
  pod: Pod;
}

async function throughNode(
  { kube }: System,
  count: number,
  prefix: string,
  signal: AbortSignal,
): Promise<Round> {
  let events = 0;
  await using watch = new PodWatch(kube, () => events++);
  await watch.synced(signal);
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  const begun = wallNow();
  await create(
    kube,
    names.map((name) => benchPod(name, ["none"])),
    signal,
  );
  const seen = await watch.all(names, "running", signal, 120_000);
  const ms = Math.max(...seen.map(({ running = Number.NaN }) => running)) - begun;
  // An annotation may go with a status; it is one write, and one event.
  const writes = events - count;
  const pod = seen[0]?.pod ?? {};
  await deletePods(kube, watch, signal);
  return { ms, writes, pod };
}

async function throughBareClient(
  { kube }: System,
  count: number,
  prefix: string,
  signal: AbortSignal,
  { writes, pod: like }: Round,
): Promise<number> {
  const [each, left] = [Math.floor(writes / count), writes % count];
  const client = new BareClient(kube, (index) => each + (index < left ? 1 : 0), like);
  await using watch = new PodWatch(kube);
  // As a node, it sees its pods by a watch of its own, which costs the API server too.
  await using own = new PodWatch(kube, (pod) => client.seen(pod, signal), BARE_NODE);
  await Promise.all([watch.synced(signal), own.synced(signal)]);
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  const begun = wallNow();
  const pods = names.map((name): Pod => {
    const pod = benchPod(name, ["none"]);
    return { ...pod, spec: { containers: [], ...pod.spec, nodeName: BARE_NODE } };
  });
  await create(kube, pods, signal);
  const seen = await watch.all(names, "running", signal, 120_000);
  await client.done();
  // Nobody else ends them.
  await atOnce(names, 32, (name) =>
    kube.delete(paths.pods.named(NAMESPACE, name), { gracePeriodSeconds: 0 }, { signal }),
  );
  return Math.max(...seen.map(({ running = Number.NaN }) => running)) - begun;
}

async function create(
  kube: System["kube"],
  pods: readonly Pod[],
  signal: AbortSignal,
): Promise<void> {
  await atOnce(pods, 32, (pod) =>
    kube.create(paths.pods.collection(NAMESPACE), pod, { signal, timeoutMs: 60_000 }),
  );
}
