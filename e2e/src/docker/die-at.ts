import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DockerProviderOptions } from "@interlink/plugin-docker";
import type { Checkpoint } from "@interlink/plugin-sdk";
import type { RetrievedPodData } from "@interlink/protocol";
import { expect, onTestFinished } from "vitest";
import type { CrashTask } from "./crash-child.ts";
import type { ProviderFixture } from "./provider-fixture.ts";

/** The built program: the e2e project runs what users run. */
const CHILD = fileURLToPath(new URL("../../dist/docker/crash-child.js", import.meta.url));

/** Lets another process of the same plugin work until it dies at a step; resolves when it is dead. */
export async function dieAt(
  fixture: ProviderFixture,
  at: Checkpoint,
  action: CrashTask["action"],
  data: RetrievedPodData,
  more: Pick<DockerProviderOptions, "devices"> = {},
): Promise<void> {
  const task: CrashTask = { options: { ...fixture.options(), ...more }, at, data, action };
  const file = join(fixture.folder, "task.json");
  await writeFile(file, JSON.stringify(task));
  const child = spawn(process.execPath, [CHILD, file], { stdio: ["ignore", "ignore", "pipe"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let words = "";
  child.stderr.on("data", (chunk: Buffer) => {
    words += chunk.toString("utf8");
  });
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  expect({ code, signal, words }).toMatchObject({ code: null, signal: "SIGKILL" });
}
