import { createInterlinkClient } from "@interlink/protocol";
import { atOnce } from "../load/at-once.ts";
import { callKinds, load, sizablePod, Tally } from "../load/server-calls.ts";
import { Parts } from "../parts/system.ts";
import type { BenchContext, Findings, Scenario } from "../scenario.ts";
import { measured } from "../stats/measure.ts";
import { forServer } from "./create-data.ts";

/** Load alternates between the two ways so often, so that what else the machine does hits both alike. */
const ROUNDS = 5;

/** What the API server adds to a plugin that costs nothing. */
export const server: Scenario = {
  name: "server",
  title: "the API server in front of a null plugin, beside the same calls to the plugin itself",
  timeoutMs: 240_000,
  run,
};

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
  const kinds = callKinds(pods, quick, signal);

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
