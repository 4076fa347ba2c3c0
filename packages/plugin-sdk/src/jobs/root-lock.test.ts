import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { silentLogger } from "../testing/recording-logger.ts";
import { temporaryDirectory } from "../testing/temporary-directory.ts";
import type { LockHolder, ProcessTable } from "./root-lock.ts";
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

test("of several that take over a dead lock at once, one gets it", async () => {
  await using directory = await temporaryDirectory();
  const root = directory.path;
  const dead: LockHolder = { ...self, pid: 300 };
  await writeFile(join(root, "lock"), JSON.stringify(dead));
  const results = await Promise.allSettled(
    Array.from({ length: 8 }, () => lockRoot(root, silentLogger, processes)),
  );
  const won = results.filter((result) => result.status === "fulfilled");
  expect(won).toHaveLength(1);
  for (const { value } of won) await value.release();
  const again = await lockRoot(root, silentLogger, processes);
  await again.release();
});
