import { randomUUID } from "node:crypto";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ProcessHarness, pod, shell } from "./testing/process-harness.ts";

const runner = (name: string) => fileURLToPath(new URL(`../runner/${name}`, import.meta.url));

test("a container whose runner is killed before it makes its claim has ended, and never runs", async () => {
  await using harness = await ProcessHarness.open();
  const scripts = join(harness.root, "scripts");
  await mkdir(scripts);
  await copyFile(runner("spawn.mjs"), join(scripts, "spawn.mjs"));
  await copyFile(runner("enter-volumes.sh"), join(scripts, "enter-volumes.sh"));
  // It never comes so far.
  await writeFile(join(scripts, "run-container.sh"), ': >"$1/begun"\nexec sleep 1000\n');
  await harness.begin({ scripts, namespaces: false });
  const data = pod(randomUUID(), [shell("main", "true")], { terminationGracePeriodSeconds: 0 });
  const uid = await harness.run(data);
  await harness.running(uid, "main");
  await harness.delete(data);
  await harness.isGone(uid);
  expect(harness.statuses.at(-1)?.containers[0]?.state?.terminated).toMatchObject({
    exitCode: 137,
  });
  // Before that, its end was awaited twice for ten seconds.
}, 15_000);
