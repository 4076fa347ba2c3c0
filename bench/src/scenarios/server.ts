import { randomUUID } from "node:crypto";
import { NULL_LOG } from "@interlink/e2e";
import { createInterlinkClient, type InterlinkClient, ZERO_TIME } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { atOnce } from "../load/at-once.ts";
import { Parts } from "../parts/system.ts";
import { benchPod } from "../pods/bench-pod.ts";
import type { BenchContext, Findings, Scenario } from "../scenario.ts";
import { measured } from "../stats/measure.ts";
import { forPlugin, forServer } from "./create-data.ts";

/** Load alternates between the two ways so often, so that what else the machine does hits both alike. */
const ROUNDS = 5;

/** What the API server adds to a plugin that costs nothing. */
export const server: Scenario = {
  name: "server",
  title: "the API server in front of a null plugin, beside the same calls to the plugin itself",
  timeoutMs: 240_000,
  run,
};

/** One kind of call, to either peer. */
interface Kind {
  name: string;
  /** Calls per round and way. */
  calls: number;
  atOnce: number;
  call(client: InterlinkClient): Promise<unknown>;
}

async function run(context: BenchContext): Promise<Findings> {
  const { quick, progress, signal } = context;
  const podCount = quick ? 20 : 1000;
  await using parts = new Parts(context);
  const plugin = await parts.nullPlugin();
  const front = await parts.server(plugin);
  await using direct = createInterlinkClient({ address: plugin, peer: "plugin" });
  await using through = createInterlinkClient({ address: front, peer: "server" });

  const pods = Array.from({ length: podCount }, sizablePod);
  await atOnce(pods, 16, (pod) => through.create(forServer(pod), { signal }));
  const kinds = kindsOf(pods, quick, signal);

  const found: Findings = { measures: [], distributions: [], aims: [], notes: [] };
  for (const kind of kinds) {
    progress(kind.name);
    const bare = new Tally();
    const whole = new Tally();
    // The first round pays for code that runs for the first time, and is not counted.
    await load(kind, direct, new Tally());
    await load(kind, through, new Tally());
    let serverCpu = 0;
    for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
      await load(kind, direct, bare);
      const before = (await parts.cpu())["server"] ?? Number.NaN;
      await load(kind, through, whole);
      serverCpu += ((await parts.cpu())["server"] ?? Number.NaN) - before;
    }
    found.measures.push(
      { name: `${kind.name}: through the API server`, value: whole.rate, unit: "/s" },
      { name: `${kind.name}: to the plugin itself`, value: bare.rate, unit: "/s" },
      { name: `${kind.name}: rate, through / itself`, value: whole.rate / bare.rate, unit: "x" },
      {
        name: `${kind.name}: CPU of the API server per call`,
        value: serverCpu / whole.latencies.length,
        unit: "CPU ms",
      },
    );
    found.distributions.push(
      measured(`${kind.name}: through the API server`, "ms", whole.latencies),
      measured(`${kind.name}: to the plugin itself`, "ms", bare.latencies),
    );
  }
  const podBytes = Buffer.byteLength(JSON.stringify(pods[0]));
  found.notes.push(
    `A pod is ${podBytes} bytes; ${kinds.map((kind) => `${kind.name}: ${kind.atOnce} at once`).join(", ")}. Load, API server and plugin share the cores of this machine.`,
    ...(await parts.problems()),
  );
  return found;
}

function kindsOf(pods: readonly Pod[], quick: boolean, signal: AbortSignal): Kind[] {
  const [one] = pods;
  if (one === undefined) throw new Error("no pods");
  const log = {
    Namespace: one.metadata?.namespace ?? "",
    PodUID: one.metadata?.uid ?? "",
    PodName: one.metadata?.name ?? "",
    ContainerName: "main",
    Opts: {
      Tail: 0,
      Bytes: 0,
      Timestamps: false,
      Follow: false,
      Previous: false,
      SinceSeconds: 0,
      SinceTime: ZERO_TIME,
    },
  };
  return [
    {
      name: "create",
      calls: quick ? 20 : 400,
      atOnce: 16,
      call: (client) => {
        const pod = sizablePod();
        return client.create(client.peer === "server" ? forServer(pod) : forPlugin(pod), {
          signal,
        });
      },
    },
    {
      name: `status of ${pods.length} pods`,
      calls: quick ? 2 : 10,
      atOnce: 1,
      call: async (client) => {
        const answer = await client.status(pods, { signal });
        if (answer.length !== pods.length)
          throw new Error(`${answer.length} of ${pods.length} pods`);
      },
    },
    {
      name: "logs",
      calls: quick ? 20 : 400,
      atOnce: 16,
      call: async (client) => {
        let text = "";
        for await (const chunk of await client.logs(log, { signal })) {
          text += Buffer.from(chunk).toString();
        }
        if (text !== NULL_LOG) throw new Error(`the log is ${JSON.stringify(text)}`);
      },
    },
  ];
}

/** Calls that were answered, and the time that passed while they were made. */
class Tally {
  readonly latencies: number[] = [];
  #milliseconds = 0;

  add(latencies: readonly number[], milliseconds: number): void {
    this.latencies.push(...latencies);
    this.#milliseconds += milliseconds;
  }

  /** Calls per second. */
  get rate(): number {
    return (1000 * this.latencies.length) / this.#milliseconds;
  }
}

async function load(kind: Kind, client: InterlinkClient, tally: Tally): Promise<void> {
  const begun = performance.now();
  const latencies = await atOnce(
    Array.from({ length: kind.calls }),
    kind.atOnce,
    async (): Promise<number> => {
      const sent = performance.now();
      await kind.call(client);
      return performance.now() - sent;
    },
  );
  tally.add(latencies, performance.now() - begun);
}

/** As large as pods usually are once Kubernetes has defaulted them. */
function sizablePod(): Pod {
  const uid = randomUUID();
  const pod = benchPod(`pod-${uid.slice(0, 8)}`, ["sleep", "1"]);
  const env = Array.from({ length: 20 }, (_, index) => ({
    name: `SETTING_${index}`,
    value: `value number ${index} of this pod`,
  }));
  const containers = (pod.spec?.containers ?? []).map((container) => ({ ...container, env }));
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      uid,
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { "app.kubernetes.io/name": "bench", "app.kubernetes.io/instance": uid },
    },
    spec: { ...pod.spec, containers },
  };
}
