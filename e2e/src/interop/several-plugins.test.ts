import { mkdtemp, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "@interlink/server";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ExistingNode } from "./peers/existing-node.ts";
import { KubernetesLike, SlurmLike } from "./peers/existing-plugins.ts";
import { another } from "./peers/fixtures.ts";
import type { GoRequest } from "./peers/go-http.ts";
import { OurNode, OurPlugin } from "./peers/ours.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "several-"));
});
afterEach(() => rm(directory, { recursive: true }));

const server = (plugins: Record<string, { address: string; nodes?: string[] }>) =>
  startServer({
    listen: { host: "127.0.0.1", port: 0 },
    plugin: { plugins, placements: join(directory, "placements") },
    logger: pino({ level: "silent" }),
    limits: { closeMs: 100 },
  });

/** A pod that asks for this plugin. */
function wanting(plugin: string, number: number) {
  const { body, pod } = another(`pod-${number}`, number);
  const request = JSON.parse(body) as { pod: typeof pod };
  request.pod.metadata = {
    ...pod.metadata,
    annotations: { "interlink.eu/plugin": plugin },
    creationTimestamp: new Date().toISOString(),
  };
  return { body: JSON.stringify(request), pod: request.pod };
}

test("an existing node serves one plugin of several by a path behind its port, another node another", async () => {
  await using slurm = await new SlurmLike().listen();
  await using cloud = await new KubernetesLike().listen();
  await using site = await server({
    slurm: { address: slurm.address },
    cloud: { address: cloud.address },
  });
  // As it puts InterlinkURL and InterlinkPort together: with nothing but a colon between them.
  const { hostname, port } = new URL(site.address);
  const nodeOf = (plugin: string) =>
    new ExistingNode(`http://${hostname}:${port}/plugins/${plugin}`);
  const [first, second] = [another("one", 1), another("two", 2)];
  expect((await nodeOf("slurm").create(first.body)).jobId).toBe("4711");
  expect((await nodeOf("cloud").create(second.body)).jobId).toMatch(/^remote-/);
  expect((await nodeOf("slurm").ping()).answer.body).toContain('"cpu":"128"');
  expect((await nodeOf("cloud").ping()).answer.body).toBe("[]");
  cloud.job(second.pod.metadata?.uid ?? "").state = "running";
  expect((await nodeOf("cloud").status(second.pod))?.phase).toBe("Running");
  await nodeOf("cloud").delete(second.pod);
  expect([slurm.jobs.size, cloud.jobs.size]).toEqual([1, 0]);
});

test("a node with pods of a plugin that hangs hears of its pods of another one", async () => {
  /** Takes pods, and says no word of them. */
  class Hanging extends KubernetesLike {
    protected override answer(request: GoRequest, response: ServerResponse): void {
      if (request.path === "/status" && request.body !== "[]") return;
      super.answer(request, response);
    }
  }
  await using stuck = await new Hanging().listen();
  await using fast = await new OurPlugin().listen();
  await using site = await server({
    stuck: { address: stuck.address },
    fast: { address: fast.address },
  });
  await using node = new OurNode(site.address);
  const pods = [1, 2, 3].map((number) => wanting("stuck", number));
  const wanted = wanting("fast", 4);
  for (const { body } of [...pods, wanted]) expect((await node.create(body)).phase).toBe("Pending");
  fast.job(wanted.pod.metadata?.uid ?? "").state = { exitCode: 0 };

  const stop = new AbortController();
  const heard: string[] = [];
  const asked: string[] = [];
  await node.site.follow(
    () => [...pods, wanted].map(({ pod }) => pod),
    {
      status: ({ UID }) => void heard.push(UID),
      // Those of the other plugin were not asked for then, so that none is unknown.
      synced: (answer) => {
        for (const uid of answer.asked) asked.push(uid);
        stop.abort();
      },
      gone: () => undefined,
      event: () => undefined,
      connection: () => undefined,
    },
    stop.signal,
  );
  expect(heard).toEqual([wanted.pod.metadata?.uid]);
  expect(asked).toEqual([wanted.pod.metadata?.uid]);
});
