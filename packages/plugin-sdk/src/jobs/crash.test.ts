import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { compiledScript } from "../testing/compiled-script.ts";
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
    const words = [script, root, ...(round % 2 === 0 ? [] : [THREADS])];
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
