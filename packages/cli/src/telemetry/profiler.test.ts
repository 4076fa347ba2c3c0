import { request } from "node:http";
import { type Logger, pino } from "pino";
import { expect, test } from "vitest";
import { startProfiler } from "./profiler.ts";

const logger = pino({ level: "silent" }) as Logger;
const profiler = (address = "127.0.0.1") => startProfiler({ address, port: 0, logger });

test("a CPU profile and one of allocations are taken for as long as is asked", async () => {
  await using one = await profiler();
  const cpu = await fetch(`${one.address}/debug/pprof/profile?seconds=0.05`);
  expect(cpu.headers.get("content-disposition")).toContain("interlink.cpuprofile");
  expect(await cpu.json()).toMatchObject({ nodes: expect.any(Array), endTime: expect.any(Number) });
  const allocations = await fetch(`${one.address}/debug/pprof/allocs?seconds=0`);
  expect(await allocations.json()).toMatchObject({ head: expect.any(Object) });
});

test("one profile is taken at a time, and given up when the program ends", async () => {
  const one = await profiler();
  const both = [1, 2].map(() =>
    fetch(`${one.address}/debug/pprof/profile?seconds=300`).then(({ status }) => status, String),
  );
  // One of them, whichever came second.
  expect(await Promise.race(both)).toBe(503);
  await one[Symbol.asyncDispose]();
  await Promise.all(both);
});

test("what there is, is told at the usual path", async () => {
  await using one = await profiler();
  const index = await fetch(`${one.address}/debug/pprof/`);
  expect(index.status).toBe(200);
  expect(await index.text()).toContain("/debug/pprof/heap");
  expect((await fetch(`${one.address}/`)).status).toBe(404);
});

test("an address that others reach is not listened on", async () => {
  await using one = await profiler("0.0.0.0");
  expect(one.address).toMatch(/^http:\/\/127\.0\.0\.1:/);
});

test.each([{ host: "evil.example.org" }, { origin: "https://evil.example.org" }])(
  "a web page (%j) is refused",
  async (headers) => {
    await using one = await profiler();
    const status = await new Promise((resolve, reject) => {
      request(`${one.address}/debug/pprof/heap`, { headers }, (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(status).toBe(403);
  },
);
