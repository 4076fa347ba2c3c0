import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lastOutput } from "./last-output.ts";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "last-output-"));
  file = join(folder, "job.log");
});
afterEach(() => rm(folder, { recursive: true }));

it.each([
  ["slurmstepd: error: no such module\n", "slurmstepd: error: no such module"],
  ["\u001b[31mred\u0007\u001b[0m\ttab\nline\n\n", "[31mred[0m\ttab\nline"],
  [`${"a".repeat(1000)}end`, `${"a".repeat(597)}end`],
  [" \n\u0000", undefined],
])("tells %j as %j", async (text, said) => {
  await writeFile(file, text);
  expect(await lastOutput(file)).toBe(said);
});

it("knows of no output where there is no file", async () => {
  expect(await lastOutput(file)).toBeUndefined();
});
