import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Placements } from "./placements.ts";

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "placements-"));
  file = join(directory, "placements");
});
afterEach(() => rm(directory, { recursive: true }));

test("many decisions at once are all on disk when they are told as made", async () => {
  await using placements = await Placements.open(file, 0);
  await Promise.all(
    Array.from({ length: 200 }, (_, index) => placements.place(`u${index}`, `p${index % 3}`)),
  );
  const lines = (await readFile(file, "utf8")).trim().split("\n");
  expect(new Set(lines).size).toBe(200);
  expect(placements.of("u4")).toBe("p1");
  expect(placements.counts()).toEqual(
    new Map([
      ["p0", 67],
      ["p1", 67],
      ["p2", 66],
    ]),
  );
});

test("a deleted pod is remembered for a day, and no longer", async () => {
  const day = 24 * 60 * 60_000;
  {
    await using placements = await Placements.open(file, 0);
    await placements.place("u", "p");
    await placements.deleted("u", 1000);
    await placements.deleted("stranger", 1000);
  }
  {
    await using placements = await Placements.open(file, day);
    expect(placements.of("u")).toBe("p");
    expect(placements.counts().size).toBe(0);
  }
  await using placements = await Placements.open(file, 2 * day);
  expect(placements.of("u")).toBeUndefined();
});

test("what cannot be written is not decided", async () => {
  const placements = await Placements.open(file, 0);
  await placements[Symbol.asyncDispose]();
  await expect(placements.place("u", "p")).rejects.toThrow();
  expect(placements.of("u")).toBeUndefined();
});
