import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { containersOutOfMemory, KernelLog } from "./kernel-log.ts";

const ONE = "ac91526c315a6f40e1e668f9319f05d3d9602c1f357cdc3465280c8cd50cd061";
const TWO = "b".repeat(64);
const record = (group: string): string =>
  `4,1189,12272771678,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg=/pods,task_memcg=${group},task=sh,pid=22501,uid=0\n`;

describe("containersOutOfMemory", () => {
  it.each([
    ["the groups of cgroupfs", record(`/libpod_parent/libpod-${ONE}`), [ONE]],
    ["the scopes of systemd", record(`/machine.slice/libpod-${ONE}.scope/container`), [ONE]],
    ["an engine in a container", record(`/docker/${TWO}/libpod_parent/libpod-${ONE}`), [TWO, ONE]],
    ["several records", record(`/libpod-${ONE}`) + record(`/libpod-${TWO}`), [ONE, TWO]],
    ["a process outside of containers", record("/user.slice"), []],
    ["a longer name", record(`/libpod-${ONE}0`), []],
    ["what a program says about itself", `6,1,2,-;task_memcg=/libpod-${ONE},\n`, []],
  ])("understands %s", (_, text, expected) => {
    expect(containersOutOfMemory(text)).toEqual(expected);
  });
});

describe("KernelLog", () => {
  async function log(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "interlink-kernel-log-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    return join(folder, "kmsg");
  }

  it("reads on from where it was", async () => {
    const path = await log();
    await writeFile(path, record(`/libpod-${ONE}`));
    await using kernel = new KernelLog((error) => expect.unreachable(error.message), path);
    expect(await Promise.all([kernel.ranOut(ONE), kernel.ranOut(TWO)])).toEqual([true, false]);
    await appendFile(path, record(`/libpod-${TWO}`));
    expect(await Promise.all([kernel.ranOut(ONE), kernel.ranOut(TWO)])).toEqual([true, true]);
  });

  it("says once that it knows nothing", async () => {
    const told: string[] = [];
    await using kernel = new KernelLog((error) => told.push(error.message), await log());
    expect(await Promise.all([kernel.ranOut(ONE), kernel.ranOut(ONE)])).toEqual([false, false]);
    expect(told).toEqual([expect.stringContaining("ENOENT") as string]);
  });
});
