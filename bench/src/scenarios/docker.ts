import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { BUSYBOX, dockerEngine } from "@interlink/e2e";
import { createDockerProvider, EngineClient, parseDockerHost } from "@interlink/plugin-docker";
import type { Pod } from "kubernetes-types/core/v1.js";
import pino from "pino";
import { engineLoop, removeLoop } from "../load/engine-loop.ts";
import { ProviderPods } from "../load/provider-pods.ts";
import { benchPod } from "../pods/bench-pod.ts";
import type { BenchContext, Findings, Scenario } from "../scenario.ts";
import { measured } from "../stats/measure.ts";

const PODS = 100;
/** The two ways take turns so often, so that what else the machine does hits both alike. */
const ROUNDS = 3;
/** Issue 4, Done means. */
const AIM_RATIO = 1.3;
const COMMAND = ["sleep", "900"];
const USER = `bench-${process.pid}`;

/** What the Docker plugin adds to the engine. */
export const docker: Scenario = {
  name: "docker",
  title: "pods at once on a real Docker Engine, beside a plain loop of the same calls to it",
  timeoutMs: 900_000,
  run,
};

async function run(context: BenchContext): Promise<Findings> {
  const shared = dockerEngine();
  const system = await shared.acquire(USER);
  try {
    return await compare(context, system.host, system.version);
  } finally {
    await shared.release(USER);
  }
}

async function compare(context: BenchContext, host: string, version: string): Promise<Findings> {
  const { quick, signal, directory, progress } = context;
  const count = quick ? 5 : PODS;
  await using engine = new EngineClient(parseDockerHost(host));
  const provider = createDockerProvider({
    root: join(directory, "root"),
    dockerHost: host,
    logger: pino({ level: "fatal" }),
    pods: 2 * count,
  });
  try {
    await provider.start?.(signal);
    using pods = new ProviderPods(provider);
    const sandboxImage = await pauseImage(engine, signal);
    const ours: number[] = [];
    const plain: number[] = [];
    const rounds = quick ? 1 : ROUNDS;
    // The first round pays for what happens for the first time, and is not counted.
    for (let round = 0; round <= rounds; round++) {
      progress(`${count} pods by the plugin, then by a plain loop (${round} of ${rounds})`);
      const wanted = Array.from({ length: count }, pod);
      const took = await pods.create(wanted, signal);
      await pods.delete(wanted, signal);
      const names = Array.from({ length: count }, () => `bench-${randomUUID()}`);
      const options = {
        engine,
        sandboxImage,
        image: BUSYBOX,
        command: COMMAND,
        directory: join(directory, "plain"),
        signal,
      };
      const bare = await engineLoop(names, options);
      await removeLoop(names, options);
      if (round === 0) continue;
      ours.push(...took);
      plain.push(...bare);
    }
    return findings(ours, plain, count, version);
  } finally {
    await provider.close?.();
  }
}

function findings(
  ours: readonly number[],
  plain: readonly number[],
  count: number,
  version: string,
): Findings {
  const [through, bare] = [
    measured("create → Running, by the plugin", "ms", ours),
    measured("first call → container runs, plain loop", "ms", plain),
  ];
  const ratios = { p50: through.p50 / bare.p50, p99: through.p99 / bare.p99 };
  return {
    measures: [
      { name: "p50, plugin / plain loop", value: ratios.p50, unit: "x" },
      { name: "p99, plugin / plain loop", value: ratios.p99, unit: "x" },
    ],
    distributions: [through, bare],
    aims: (["p50", "p99"] as const).map((name) => ({
      wanted: `${count} pods at once on Docker run after at most ${AIM_RATIO} times what a plain loop takes (${name}).`,
      got: `${ratios[name].toFixed(2)} times`,
      met: ratios[name] <= AIM_RATIO,
    })),
    notes: [
      `Docker Engine ${version}. A pod has a sandbox and one container, as the plain loop does; load, plugin and engine share the cores of this machine.`,
    ],
  };
}

function pod(): Pod {
  const uid = randomUUID();
  const made = benchPod(`pod-${uid.slice(0, 8)}`, COMMAND);
  const containers = (made.spec?.containers ?? []).map((container) => ({
    ...container,
    image: BUSYBOX,
    imagePullPolicy: "IfNotPresent",
  }));
  return { ...made, metadata: { ...made.metadata, uid }, spec: { ...made.spec, containers } };
}

/** The plugin has imported it. */
async function pauseImage(engine: EngineClient, signal: AbortSignal): Promise<string> {
  const images = await engine.json<{ RepoTags: string[] | null }[]>({
    method: "GET",
    path: "/images/json",
    query: { filters: { reference: ["localhost/interlink-pause"] } },
    signal,
  });
  const [tag] = images.flatMap(({ RepoTags }) => RepoTags ?? []);
  if (tag === undefined) throw new Error("The engine has no image for sandboxes.");
  return tag;
}
