import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ThreadedDisk } from "@interlink/plugin-sdk";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { FixedFiles, newFile } from "./fixed-files.ts";

const long = (text: string): string => text.repeat(5000);

let directory: string;
let disk: ThreadedDisk;
let files: FixedFiles;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "interlink-fixed-"));
  disk = new ThreadedDisk();
  files = new FixedFiles(join(directory, "scripts"), disk);
  await files.open();
  onTestFinished(async () => {
    await disk[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });
});

async function put(name: string, content: string, mode = 0o700): Promise<{ ino: number }> {
  const path = join(directory, name);
  await disk.make([await files.step({ path, content, mode })]);
  expect(await readFile(path, "utf8")).toBe(content);
  const { ino, mode: has } = await stat(path);
  expect(has & 0o777).toBe(mode);
  return { ino };
}

test("what is the same for many is one file with many names, in the place of what had the name", async () => {
  const first = await put("a", long("a"));
  expect(await put("b", long("a"))).toEqual(first);
  expect(await put("c", long("b"))).not.toEqual(first);
  expect(await put("c", long("a"))).toEqual(first);
  expect(await put("d", long("a"), 0o600)).not.toEqual(first);
});

test("what is short is a file of its own", async () => {
  expect(await put("a", "short")).not.toEqual(await put("b", "short"));
});

test("only the contents that were used last are kept", async () => {
  await put("a", long("often"));
  for (let index = 0; index < 40; index += 1) {
    await put(`own-${index}`, long(`of pod ${index}`));
    await put(`again-${index}`, long("often"));
  }
  const same = await stat(join(directory, "a"));
  expect(same.nlink).toBe(42);
  expect((await readdir(join(directory, "scripts"))).length).toBeLessThan(20);
});

test("a file that somebody has removed is known as lost, and nothing else is", async () => {
  const path = join(directory, "a");
  const step = await files.step({ path, content: long("a"), mode: 0o700 });
  await rm(join(directory, "scripts"), { recursive: true });
  const failure = await disk.make([step]).catch((error: unknown) => error);
  expect(files.isLost(failure)).toBe(true);
  await files.open();
  files.forget();
  await put("a", long("a"));
  const elsewhere = newFile({ path: join(directory, "none/a"), content: "x", mode: 0o600 });
  expect(files.isLost(await disk.make([elsewhere]).catch((error: unknown) => error))).toBe(false);
});

test("an opened one has nothing of an earlier life, whose names stay good", async () => {
  await put("a", long("a"));
  await files.open();
  expect(await readdir(join(directory, "scripts"))).toEqual([]);
  expect(await readFile(join(directory, "a"), "utf8")).toBe(long("a"));
});
