import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Spawner } from "./spawner.ts";

const SCRIPT = fileURLToPath(new URL("../runner/spawn.mjs", import.meta.url));
let directory: string;
let spawner: Spawner;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "interlink-spawner-"));
  spawner = new Spawner(SCRIPT);
});
afterEach(async () => {
  await spawner.close();
  await rm(directory, { recursive: true, force: true });
});

/** What `line` wrote by the time it had ended. */
async function output(line: string, env: Record<string, string> = {}): Promise<string> {
  const path = join(directory, "log");
  const log = await open(path, "w");
  try {
    const args = ["-c", line];
    await new Promise<void>((resolve, reject) => {
      spawner
        .spawn({ file: "/bin/sh", args, cwd: directory, env, log: log.fd }, resolve)
        .catch(reject);
    });
  } finally {
    await log.close();
  }
  return readFile(path, "utf8");
}

describe("a spawner", () => {
  test("starts a process where it is told, with nothing but the environment given", async () => {
    const env = { ODD: "a\nb=\u00e9 $HOME" };
    expect(await output("pwd; printf '%s' \"$ODD\"; env | grep -c INTERLINK", env)).toBe(
      `${directory}\n${env.ODD}0\n`,
    );
  });

  test("tells of many, each its own end", async () => {
    const lines = await Promise.all(Array.from({ length: 20 }, () => output(":")));
    expect(lines).toHaveLength(20);
  });

  test.each([
    ["can never be started", { env: { LARGE: "x".repeat(200_000) } }, "StartFailed"],
    ["cannot be started now", { file: "/no/such/file" }, "Unavailable"],
  ])("says of one that %s why", async (_what, more, code) => {
    const order = { file: "/bin/true", args: [], cwd: directory, env: {}, log: 1, ...more };
    await expect(spawner.spawn(order, () => undefined)).rejects.toMatchObject({ code });
  });

  test("lets go of whoever waits when its thread dies, and goes on with another", async () => {
    const script = join(directory, "dies.mjs");
    await writeFile(
      script,
      `import { parentPort } from "node:worker_threads";
       parentPort.on("message", ({ id }) => {
         if (id === 1) parentPort.postMessage({ id, spawned: true });
         else throw new Error("out of memory");
       });`,
    );
    await using dying = {
      one: new Spawner(script),
      [Symbol.asyncDispose]: () => dying.one.close(),
    };
    const order = { file: "/bin/true", args: [], cwd: directory, env: {}, log: 1 };
    let hasEnded = false;
    await dying.one.spawn(order, () => {
      hasEnded = true;
    });
    for (let again = 0; again < 2; again++) {
      await expect(dying.one.spawn(order, () => undefined)).rejects.toMatchObject({
        code: "Unavailable",
      });
    }
    expect(hasEnded).toBe(true);
  });
});
