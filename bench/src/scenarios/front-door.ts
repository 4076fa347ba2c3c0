import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterlinkClient, type InterlinkClient } from "@interlink/protocol";
import { atOnce } from "../load/at-once.ts";
import { Issuer } from "../load/issuer.ts";
import { callKinds, load, logCalls, sizablePod, Tally } from "../load/server-calls.ts";
import { MEMORY_REPORTER, Parts, type ServerPart } from "../parts/system.ts";
import type { BenchContext, Findings, Scenario } from "../scenario.ts";
import { measured } from "../stats/measure.ts";
import { forServer } from "./create-data.ts";

/** The ways take turns so often, so that what else the machine does hits all alike. */
const ROUNDS = 5;
const LOG_LINES = 20_000;
/** Of memory after many requests beside before that is taken for noise. */
const GROWTH = 1.25;
const MIB = 1024 * 1024;

/** What it costs to know who calls, and whether requests leave anything behind. */
export const frontDoor: Scenario = {
  name: "front-door",
  title:
    "the API server with authentication off, by a file of tokens, and by JWT; memory after 100,000 requests",
  timeoutMs: 900_000,
  run,
};

/** One API server, and how to call it. */
interface Way extends ServerPart {
  name: string;
  token?: string;
}

async function run(context: BenchContext): Promise<Findings> {
  const { directory } = context;
  await using issuer = await Issuer.start();
  await using parts = new Parts(context);
  const plugin = await parts.nullPlugin();
  const doors: [Way, InterlinkClient][] = [];
  for (const way of await waysOf(directory, issuer)) {
    const address = await parts.server(plugin, way);
    const token = way.token === undefined ? {} : { token: async () => way.token ?? "" };
    doors.push([way, createInterlinkClient({ address, peer: "server", ...token })]);
  }
  try {
    return await compare(context, parts, doors);
  } finally {
    for (const [, client] of doors) await client[Symbol.asyncDispose]();
  }
}

async function compare(
  context: BenchContext,
  parts: Parts,
  doors: readonly [Way, InterlinkClient][],
): Promise<Findings> {
  const { quick, progress, signal } = context;
  const pods = Array.from({ length: quick ? 20 : 1000 }, sizablePod);
  const [[, first] = []] = doors;
  await atOnce(pods, 16, async (pod) => first?.create(forServer(pod), { signal }));
  const found: Findings = { measures: [], distributions: [], aims: [], notes: [] };
  const logSize = { lines: quick ? 100 : LOG_LINES, calls: quick ? 5 : 60 };
  const kinds = [
    ...callKinds(pods, quick, signal),
    logCalls(`log of ${logSize.lines} lines`, pods, logSize, signal),
  ];
  for (const kind of kinds) {
    progress(kind.name);
    const tallies = new Map(doors.map(([{ name }]) => [name, new Tally()]));
    // The first round pays for code that runs for the first time, and is not counted.
    for (const [, client] of doors) await load(kind, client, new Tally());
    for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
      for (const [{ name }, client] of doors) {
        await load(kind, client, tallies.get(name) ?? new Tally());
      }
    }
    const open = tallies.get("open")?.rate ?? Number.NaN;
    for (const [name, { rate, latencies }] of tallies) {
      found.measures.push({ name: `${kind.name}, ${name}`, value: rate, unit: "/s" });
      found.distributions.push(measured(`${kind.name}, ${name}`, "ms", latencies));
      if (name === "open") continue;
      const ratio = { name: `${kind.name}: rate, ${name} / open`, value: rate / open };
      found.measures.push({ ...ratio, unit: "x" });
    }
  }
  await memory(context, parts, doors, found);
  found.notes.push(
    "open: anyone may call; token-file: a file of 100 bearer tokens; jwt: RS256, 2048 bits, keys from an issuer on this machine. A unix socket each, one plugin behind all. Load, API servers and plugin share the cores of this machine.",
    ...(await parts.problems()),
  );
  return found;
}

async function waysOf(directory: string, issuer: Issuer): Promise<Way[]> {
  const tokens = Array.from({ length: 100 }, () => randomBytes(24).toString("hex"));
  const tokenFile = join(directory, "tokens");
  await writeFile(tokenFile, `${tokens.join("\n")}\n`, { mode: 0o600 });
  const config = join(directory, "jwt.yaml");
  const oidc = { Issuer: issuer.url, Audience: issuer.audience, JWKSURL: `${issuer.url}/keys` };
  await writeFile(config, JSON.stringify({ OIDC: oidc }), { mode: 0o600 });
  const node = MEMORY_REPORTER;
  return [
    { name: "open", node },
    { name: "token-file", node, words: ["--token-file", tokenFile], token: tokens.at(-1) ?? "" },
    { name: "jwt", node, words: ["--config", config], token: issuer.token() },
  ];
}

/** Pods that come, are asked for and go: nothing of them is left to be kept. */
async function memory(
  { quick, progress, signal }: BenchContext,
  parts: Parts,
  doors: readonly [Way, InterlinkClient][],
  found: Findings,
): Promise<void> {
  const requests = quick ? 400 : 100_000;
  const [way, client] = doors.at(-1) ?? [];
  if (way === undefined || client === undefined) throw new Error("no API server");
  const lives = async (count: number): Promise<void> => {
    await atOnce(Array.from({ length: count / 4 }), 16, async () => {
      const pod = sizablePod();
      await client.create(forServer(pod), { signal });
      await client.status([pod], { signal });
      await logCalls("log", [pod], { lines: 1, calls: 1 }, signal).call(client);
      await client.delete(pod, { signal });
    });
  };
  progress("warming up for memory");
  await lives(requests / 20);
  const before = await parts.collectedMemory(way.name, signal);
  progress(`${requests} requests`);
  const begun = performance.now();
  await lives(requests);
  const rate = (1000 * requests) / (performance.now() - begun);
  const after = await parts.collectedMemory(way.name, signal);
  const thousands = `${requests} requests`;
  found.measures.push(
    { name: `${thousands} (create, status, log, delete): rate, jwt`, value: rate, unit: "/s" },
    { name: `${thousands}: resident before`, value: before.rss / MIB, unit: "MiB" },
    { name: `${thousands}: resident after`, value: after.rss / MIB, unit: "MiB" },
    { name: `${thousands}: resident, after / before`, value: after.rss / before.rss, unit: "x" },
    { name: `${thousands}: heap before`, value: before.heapUsed / MIB, unit: "MiB" },
    { name: `${thousands}: heap after`, value: after.heapUsed / MIB, unit: "MiB" },
    {
      name: `${thousands}: heap, after / before`,
      value: after.heapUsed / before.heapUsed,
      unit: "x",
    },
  );
  const growth = after.heapUsed / before.heapUsed;
  found.aims.push({
    wanted: `Requests leave nothing behind: after ${requests} of them the API server's heap, garbage collected, is at most ${GROWTH}x as large.`,
    got: `${growth.toFixed(2)}x`,
    met: growth <= GROWTH,
  });
}
