import { link, mkdir, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "../../testing/temporary-directory.ts";
import { diskUsage } from "./disk-usage.ts";

const { signal } = new AbortController();
const MIB = 1024 * 1024;

describe("the disk usage of a directory", () => {
  test("counts blocks of files at any depth, each file once, and follows no link", async () => {
    await using directory = await temporaryDirectory();
    const inside = join(directory.path, "inside");
    await mkdir(join(inside, "deep"), { recursive: true });
    const file = join(inside, "deep", "file");
    await writeFile(file, Buffer.alloc(MIB, 1));
    await link(file, join(inside, "same"));
    const outside = join(directory.path, "outside");
    await writeFile(outside, Buffer.alloc(4 * MIB, 1));
    await symlink(outside, join(inside, "link"));
    await writeFile(join(inside, "hole"), "");
    await truncate(join(inside, "hole"), 64 * MIB);
    const used = Number(await diskUsage(inside, signal));
    expect(used).toBeGreaterThanOrEqual(MIB);
    expect(used).toBeLessThan(2 * MIB);
  });

  test("is nothing where nothing is", async () => {
    await using directory = await temporaryDirectory();
    expect(await diskUsage(join(directory.path, "absent"), signal)).toBe(0n);
  });

  test("is given up when asked to", async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, "file"), "");
    await expect(diskUsage(directory.path, AbortSignal.abort())).rejects.toThrow(/abort/i);
  });
});
