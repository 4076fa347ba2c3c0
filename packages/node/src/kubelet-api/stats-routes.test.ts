import type { Pod } from "kubernetes-types/core/v1.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KubeletWorld } from "../testing/kubelet-world.ts";
import type { BackendStats } from "./backend.ts";

const pod: Pod = { metadata: { name: "p", namespace: "ns", uid: "u" } };
const time = "2026-01-01T00:00:00Z";
const told: BackendStats = {
  node: undefined,
  pods: [
    {
      pod,
      stats: {
        podRef: { name: "p", namespace: "ns", uid: "u" },
        startTime: time,
        containers: [
          {
            name: "c",
            startTime: time,
            cpu: { time, usageCoreNanoSeconds: 1e9 },
            memory: { time, workingSetBytes: 4096 },
          },
        ],
      },
    },
  ],
};
const paths = ["/stats/summary", "/metrics/resource", "/metrics/cadvisor"];

let world: KubeletWorld;
let asked: number;
let answer: () => Promise<BackendStats | undefined>;

beforeEach(async () => {
  asked = 0;
  answer = () => Promise.resolve(told);
  const stats = () => {
    asked += 1;
    return answer();
  };
  world = await KubeletWorld.start([pod], { stats }, { statsKept: 3_600_000 });
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

test("many who ask for usage are one question to the site", async () => {
  const answers = await Promise.all([...paths, ...paths].map((path) => world.ask(path)));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(answers[0]?.text).toContain('"nodeName":"n"');
  expect(answers[1]?.text).toContain('container_memory_working_set_bytes{container="c"');
  expect(answers[1]?.headers["content-type"]).toContain("version=0.0.4");
  expect(answers[2]?.text).toContain("machine_cpu_cores 4\n");
  expect(asked).toBe(1);
});

test("permissions are those of statistics and metrics, not of the whole node", async () => {
  world.allow = (subresource) => ["stats", "metrics", "configz"].includes(subresource);
  for (const path of [...paths, "/metrics", "/metrics/probes", "/configz"])
    expect((await world.ask(path)).status).toBe(200);
  expect([...new Set(world.reviews)]).toEqual(["get stats", "get metrics", "get configz"]);
  expect((await world.ask("/pods")).status).toBe(403);
});

test("nobody sees any of it who is not known", async () => {
  for (const path of [...paths, "/metrics", "/metrics/probes", "/configz", "/runningpods/"])
    expect(await world.ask(path, { anonymous: true })).toMatchObject({ status: 401 });
  expect(asked).toBe(0);
});

test("a site that does not answer is told to people by 503 and to scrapers by their own metric", async () => {
  answer = () => Promise.reject(new Error("no connection"));
  const summary = await world.ask("/stats/summary");
  expect(summary).toMatchObject({ status: 503 });
  expect(summary.text).toContain("no connection");
  const scraped = await world.ask("/metrics/resource");
  expect(scraped.status).toBe(200);
  expect(scraped.text).toContain("scrape_error 1");
});

test("a site that offers no statistics leaves the numbers out", async () => {
  answer = () => Promise.resolve(undefined);
  const { text } = await world.ask("/stats/summary?only_cpu_and_memory=true");
  expect(JSON.parse(text)).toEqual({
    node: { nodeName: "n", startTime: "2026-01-01T00:00:00Z" },
    pods: [],
  });
});

test("configz says how many pods the node takes", async () => {
  const { text } = await world.ask("/configz");
  expect(JSON.parse(text)).toMatchObject({ kubeletconfig: { maxPods: 110 } });
});
