import { execFileSync } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryDirectory } from "../testing/temporary-directory.ts";
import { readInVolume } from "./read-in-volume.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let root: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
  root = join(directory.path, "volume");
  await mkdir(join(root, "deep"), { recursive: true });
  await writeFile(join(directory.path, "outside"), "not for pods");
  await writeFile(join(root, "deep/file"), "text");
});
afterEach(() => directory[Symbol.asyncDispose]());

test("reads a file, also behind links that stay inside", async () => {
  await symlink("deep/file", join(root, "link"));
  expect(await readInVolume(root, "deep/file")).toBe("text");
  expect(await readInVolume(root, "link")).toBe("text");
});

test("says that a file is not there", async () => {
  expect(await readInVolume(root, "no/file")).toBeUndefined();
  expect(await readInVolume(root, "deep/file/below")).toBeUndefined();
});

test("reads nothing outside, no pipe, no directory and no large file", async () => {
  await symlink("../outside", join(root, "out"));
  await symlink(directory.path, join(root, "up"));
  execFileSync("mkfifo", [join(root, "pipe")]);
  await writeFile(join(root, "large"), "x".repeat(64 * 1024 + 1));
  for (const [path, why] of [
    ["out", "it leads out of the volume"],
    ["up/outside", "it leads out of the volume"],
    ["../outside", "must not contain '..'"],
    ["pipe", "it is no file"],
    ["deep", "it is no file"],
    ["large", "more than 65536 bytes"],
  ] as const) {
    await expect(readInVolume(root, path)).rejects.toThrow(why);
  }
});
