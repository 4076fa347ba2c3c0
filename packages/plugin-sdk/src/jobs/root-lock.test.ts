import { createHash } from "node:crypto";
import { lstat, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { silentLogger } from "../testing/recording-logger.ts";
import { temporaryDirectory } from "../testing/temporary-directory.ts";
import type { LockHolder, ProcessTable, RootLock } from "./root-lock.ts";
import { lockRoot, mayBeAlive, SILENT_AFTER_MS } from "./root-lock.ts";

const self: LockHolder = {
  pid: 100,
  hostname: "site",
  startTime: "5000",
  bootId: "boot-1",
  pidNamespace: "pid:[1]",
};
const processes: ProcessTable = {
  self: () => self,
  isAlive: (pid) => pid === 100 || pid === 200,
  startTime: (pid) => (pid === 100 ? "5000" : pid === 200 ? "6000" : undefined),
};
const other: LockHolder = { ...self, pid: 200, startTime: "6000" };

describe("whether the holder of a lock may be alive", () => {
  test.each<[string, LockHolder | undefined, number, boolean]>([
    ["a living process", other, 1e9, true],
    ["a dead process", { ...other, pid: 300 }, 0, false],
    ["a pid that was given to another process since", { ...other, startTime: "5999" }, 0, false],
    ["a process from before a reboot", { ...other, bootId: "boot-0" }, 0, false],
    ["another host, heard of lately", { ...other, hostname: "x" }, SILENT_AFTER_MS - 1, true],
    ["another host, long silent", { ...other, hostname: "x" }, SILENT_AFTER_MS, false],
    ["another container, heard of lately", { ...other, pidNamespace: "pid:[2]" }, 0, true],
    ["another container, silent", { ...other, pidNamespace: "pid:[2]" }, SILENT_AFTER_MS, false],
    ["an unreadable lock, new", undefined, 0, true],
    ["an unreadable lock, old", undefined, SILENT_AFTER_MS, false],
  ])("%s", (_name, holder, silentMs, expected) => {
    expect(mayBeAlive(holder, processes, silentMs)).toBe(expected);
  });

  test("without /proc a living pid counts as the holder", () => {
    const bare: ProcessTable = { ...processes, startTime: () => undefined };
    const { startTime: _none, ...holder } = other;
    expect(mayBeAlive(holder, bare, 0)).toBe(true);
  });
});

describe("the lock of a dead process", () => {
  const dead = `${JSON.stringify({ ...self, pid: 300 })}\n`;

  async function whoever(root: string): Promise<RootLock[]> {
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, () => lockRoot(root, silentLogger, processes)),
    );
    return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  }

  test("of several that take it over at once, one gets it", async () => {
    await using directory = await temporaryDirectory();
    const root = directory.path;
    for (let round = 0; round < 40; round += 1) {
      await writeFile(join(root, "lock"), dead);
      const won = await whoever(root);
      expect(won).toHaveLength(1);
      await won[0]?.release();
      expect(await readdir(root)).toEqual([]);
    }
  });

  test("is taken over although others died while they did it", async () => {
    await using directory = await temporaryDirectory();
    const root = directory.path;
    const lock = join(root, "lock");
    const died = (id: number) => `${JSON.stringify({ ...self, pid: 300, id })}\n`;
    /** As a process leaves it that was killed when it had the right to replace the lock at `path`. */
    const leaveClaim = async (path: string, id: number): Promise<string> => {
      const { ino, mtimeMs } = await lstat(path);
      const text = await readFile(path, "utf8");
      const key = createHash("sha256").update(`${ino} ${mtimeMs} ${text}`).digest("hex");
      await writeFile(`${lock}.after.${key}`, died(id));
      return `${lock}.after.${key}`;
    };
    await writeFile(lock, dead);
    await leaveClaim(await leaveClaim(lock, 1), 2);
    const won = await whoever(root);
    expect(won).toHaveLength(1);
    expect(await readdir(root)).toEqual(["lock"]);
    await won[0]?.release();
  });

  test("is not taken from a process that is taking it over", async () => {
    await using directory = await temporaryDirectory();
    const root = directory.path;
    await writeFile(join(root, "lock"), dead);
    const { ino, mtimeMs } = await lstat(join(root, "lock"));
    const key = createHash("sha256").update(`${ino} ${mtimeMs} ${dead}`).digest("hex");
    await writeFile(join(root, `lock.after.${key}`), JSON.stringify(other));
    await expect(lockRoot(root, silentLogger, processes)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("process 200 on site"),
    });
    expect(await readFile(join(root, "lock"), "utf8")).toBe(dead);
  });
});
