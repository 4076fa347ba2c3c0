import type { ObservedContainer } from "@interlink/plugin-sdk";
import { expect, it } from "vitest";
import { FakeEngine, json } from "../testing/fake-engine.ts";
import { StatsReader } from "./stats-reader.ts";

const { signal } = new AbortController();
const container = (id: string, state: ObservedContainer["state"] = "running") => ({
  uid: `uid-${id}`,
  containerName: "main",
  attempt: 0,
  id,
  state,
  startedAt: "2026-01-01T00:00:00Z",
});

function reader(
  engine: FakeEngine,
  containers: ObservedContainer[],
  now: () => number,
): StatsReader {
  return new StatsReader(engine.client, {
    containers: () => Promise.resolve(containers),
    sandboxes: () => Promise.resolve([]),
    now,
  });
}

it("asks for each running container once, however many callers there are, and again when time has passed", async () => {
  let total = 0;
  await using engine = await FakeEngine.open((_, response) => {
    total += 1_000_000;
    json(response, 200, {
      read: new Date(total / 1000).toISOString(),
      cpu_stats: { cpu_usage: { total_usage: total } },
    });
  });
  let now = 0;
  const stats = reader(engine, [container("a"), container("b", "exited")], () => now);
  const [first, second] = await Promise.all([stats.read(signal), stats.read(signal)]);
  expect(second).toBe(first);
  expect(await stats.read(signal)).toBe(first);
  const asked = (): number => engine.asked.filter((one) => one.includes("/stats")).length;
  expect(asked()).toBe(1);
  now = 60_000;
  expect((await stats.read(signal)).containers).toMatchObject([
    { uid: "uid-a", cpu: { usageCoreNanoSeconds: 2_000_000, usageNanoCores: 1_000_000 } },
  ]);
  expect(asked()).toBe(2);
});

it("leaves out a container that has gone meanwhile, and does not wait for more than a few at a time", async () => {
  let open = 0;
  let most = 0;
  await using engine = await FakeEngine.open((_, response, url) => {
    open++;
    most = Math.max(most, open);
    setImmediate(() => {
      open--;
      if (url.pathname.includes("/containers/7/")) json(response, 404, { message: "gone" });
      else json(response, 200, { read: "2026-01-01T00:00:00Z", memory_stats: { usage: 1 } });
    });
  });
  const all = Array.from({ length: 40 }, (_, i) => container(String(i)));
  const { containers } = await reader(engine, all, () => 0).read(signal);
  expect(containers).toHaveLength(39);
  expect(most).toBeLessThanOrEqual(8);
});

it("throws when the engine is away, rather than saying that nothing runs", async () => {
  const engine = await FakeEngine.open((_, response) => json(response, 200, {}));
  await engine.client.version();
  const stats = reader(engine, [container("a")], () => 0);
  await engine[Symbol.asyncDispose]();
  await expect(stats.read(signal)).rejects.toThrow();
});
