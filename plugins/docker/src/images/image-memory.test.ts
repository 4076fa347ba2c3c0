import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ImageMemory } from "./image-memory.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "images-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const logger = pino({ level: "silent" });
const file = () => join(folder, "root", "images.json");
const open = () => ImageMemory.open(file(), logger);

it("knows after a restart what was pulled, under which names, and when it was used", async () => {
  const memory = await open();
  await memory.pulled("a", "r.test/a:1", 10);
  expect((await open()).get("a")).toEqual({ names: ["r.test/a:1"], seenAt: 10, usedAt: 10 });
  await memory.pulled("a", "r.test/a:2", 20);
  memory.used("a", 30);
  memory.used("other", 40);
  await memory.save();
  const again = await open();
  expect(again.get("a")).toEqual({
    names: ["r.test/a:1", "r.test/a:2"],
    seenAt: 20,
    usedAt: 30,
  });
  expect(again.get("other")).toEqual({ names: [], seenAt: 40, usedAt: 40 });
  expect((await stat(file())).mode & 0o777).toBe(0o600);
});

it("forgets what the engine has no more, so that what comes back is somebody else's", async () => {
  const memory = await open();
  await memory.pulled("a", "r.test/a:1", 10);
  memory.see(new Set(["b"]), 50);
  expect(memory.get("a")).toBeUndefined();
  memory.see(new Set(["a", "b"]), 60);
  expect(memory.get("a")).toEqual({ names: [], seenAt: 60, usedAt: 0 });
  expect(memory.get("b")).toEqual({ names: [], seenAt: 50, usedAt: 0 });
});

it.each(["{ half", '{"schemaVersion":2,"images":{}}', "null"])(
  "takes a damaged record, %s, for no record: images then stay",
  async (text) => {
    await (await open()).pulled("a", "r.test/a:1", 10);
    await writeFile(file(), text);
    const memory = await open();
    expect(memory.get("a")).toBeUndefined();
    memory.used("a", 20);
    await memory.save();
    expect(JSON.parse(await readFile(file(), "utf8"))).toMatchObject({ schemaVersion: 1 });
  },
);

it("goes on without its file where that cannot be written", async () => {
  await writeFile(join(folder, "root"), "not a directory");
  const memory = await ImageMemory.open(file(), logger);
  await memory.pulled("a", "r.test/a:1", 10);
  expect(memory.get("a")).toMatchObject({ names: ["r.test/a:1"] });
});
