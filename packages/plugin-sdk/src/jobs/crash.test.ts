import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { compiledScript } from "../testing/compiled-script.ts";
import { writeEarlierJob } from "../testing/earlier-job.ts";
import { silentLogger } from "../testing/recording-logger.ts";
import { temporaryDirectory } from "../testing/temporary-directory.ts";
import { openJobStore } from "./open-job-store.ts";

const THREADS = fileURLToPath(new URL("../../runner/file-steps.mjs", import.meta.url));

test("a writer killed at any moment leaves every job whole, and nothing it has answered is lost", async () => {
  await using directory = await temporaryDirectory();
  const script = await compiledScript(
    new URL("../testing/job-writer.ts", import.meta.url),
    directory.path,
  );
  const root = join(directory.path, "root");
  for (let round = 0; round < 8; round += 1) {
    const bare = round % 2 === 1;
    const words = [script, root, ...(bare ? [THREADS] : [])];
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(child, "exit");
    const answered: { uid: string; count: number; removed: boolean }[] = [];
    let toKill = 5 + round * 17;
    for await (const line of createInterface({ input: child.stdout })) {
      answered.push(JSON.parse(line) as (typeof answered)[number]);
      toKill -= 1;
      if (toKill === 0) child.kill("SIGKILL");
    }
    await exited;
    expect(child.signalCode).toBe("SIGKILL");

    // Opening takes the dead writer's lock over.
    await using store = await openJobStore<{ count: number }>({
      root,
      bare,
      logger: silentLogger,
      newRecord: () => ({ count: -1 }),
    });
    expect(store.quarantined).toEqual([]);
    expect(store.list().filter(({ rebuilt }) => rebuilt)).toEqual([]);
    for (const { uid } of store.list()) {
      expect((await store.data(uid)).pod.metadata?.uid).toBe(uid);
    }
    const last = new Map(answered.map((answer) => [answer.uid, answer]));
    for (const { uid, count, removed } of last.values()) {
      if (removed) expect(store.tombstone(uid)).toBeDefined();
      else if (store.tombstone(uid) === undefined) {
        expect(store.get(uid)?.record.count).toBeGreaterThanOrEqual(count);
      }
    }
  }
});

test("a start killed while it converts the jobs of an earlier version loses none of them", async () => {
  await using directory = await temporaryDirectory();
  const script = await compiledScript(
    new URL("../testing/job-writer.ts", import.meta.url),
    directory.path,
  );
  for (const toSee of [1, 20, 60]) {
    const root = join(directory.path, `root-${toSee}`);
    const uids = Array.from({ length: 60 }, (_, index) => `old-${index}`);
    for (const uid of uids) await writeEarlierJob(root, uid);
    const child = spawn(process.execPath, [script, root], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const exited = once(child, "exit");
    await expect
      .poll(() => recordsIn(root), { interval: 1, timeout: 30_000 })
      .toBeGreaterThanOrEqual(toSee);
    child.kill("SIGKILL");
    await exited;

    await using store = await openJobStore<{ count: number }>({
      root,
      logger: silentLogger,
      newRecord: () => ({ count: -1 }),
    });
    expect(store.quarantined).toEqual([]);
    for (const uid of uids) {
      expect(store.get(uid)).toMatchObject({ jobId: "17", record: { count: 3 } });
      expect((await store.data(uid)).pod.metadata?.uid).toBe(uid);
      expect((await readdir(store.paths(uid).directory)).sort()).toEqual([
        "containers",
        "logs",
        "volumes",
      ]);
    }
  }
});

/** The records there are; it need not have begun yet. */
async function recordsIn(root: string): Promise<number> {
  const names = await readdir(join(root, "records")).catch(() => []);
  return names.length;
}
