import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ConfigMap, Container, PodSpec } from "kubernetes-types/core/v1.js";
import { batchScriptPath } from "../batch/batch-script.ts";
import type { BatchPod, BatchRecords, BatchRuntime } from "../batch/contract.ts";
import { planBatchPod } from "../batch/plan-batch-pod.ts";
import { readBatchRecords } from "../batch/read-batch-records.ts";
import { writeBatchPod } from "../batch/write-batch-pod.ts";
import { eventually } from "./eventually.ts";
import { guard } from "./guard.ts";
import { podData } from "./pod-data.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** No runtime: the container's command itself, with the container's environment. */
export const bareRuntime: BatchRuntime = {
  exportPrefix: "",
  run: ({ command = [], args = [] }) => [...command, ...args].map((word) => [word]),
  exec: (_container, command) => command.map((word) => [word]),
};

/** A container that runs `script` by sh. */
export function shell(name: string, script: string, rest: Partial<Container> = {}): Container {
  return { name, image: "busybox", command: ["sh", "-c", script], ...rest };
}

/** A pod of these containers, with short back-offs. */
export function batchPod(
  spec: Partial<PodSpec>,
  {
    runtime = bareRuntime,
    configMaps = [],
    backOffMs = 50,
  }: { runtime?: BatchRuntime; configMaps?: ConfigMap[]; backOffMs?: number } = {},
): BatchPod {
  const data = podData("5f0c3f6e-0000-4000-8000-000000000001", { restartPolicy: "Never", ...spec });
  data.container[0]?.configMaps?.push(...configMaps);
  return planBatchPod({ data, runtime, backOff: { firstMs: backOffMs, mostMs: 60_000 } });
}

export interface BatchJobOptions {
  /** Text of the script in its place. */
  packed?: Uint8Array;
  /** What the job's environment has besides PATH. */
  env?: NodeJS.ProcessEnv;
  /** Its directory is given relative to the one above it. */
  relative?: boolean;
  /** What is done to its directory before it starts. */
  prepare?: (directory: string) => Promise<unknown>;
}

/** The real script with a pod, in a process group of its own as a resource system starts it. */
export class BatchJob implements AsyncDisposable {
  readonly pod: BatchPod;
  readonly directory: string;
  readonly child: ChildProcess;
  readonly #temporary: AsyncDisposable;
  readonly #guard: AsyncDisposable | undefined;
  #stderr = "";

  private constructor(
    pod: BatchPod,
    temporary: AsyncDisposable & { path: string },
    script: string,
    { env, relative = false }: BatchJobOptions,
  ) {
    this.pod = pod;
    this.#temporary = temporary;
    this.directory = join(temporary.path, "job");
    this.child = spawn("bash", ["-p", script, relative ? "job" : this.directory], {
      cwd: temporary.path,
      env: { PATH: process.env["PATH"], TMPDIR: temporary.path, ...env },
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
    });
    if (this.child.pid !== undefined) this.#guard = guard(this.child.pid, temporary.path);
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
  }

  static async start(pod: BatchPod, options: BatchJobOptions = {}): Promise<BatchJob> {
    const temporary = await temporaryDirectory();
    let script = batchScriptPath();
    if (options.packed === undefined) {
      await writeBatchPod(pod, join(temporary.path, "job"));
    } else {
      script = join(temporary.path, "packed.sh");
      await writeFile(script, options.packed, { mode: 0o600 });
    }
    await options.prepare?.(join(temporary.path, "job"));
    return new BatchJob(pod, temporary, script, options);
  }

  /** Another life of the same job, as after a requeue. */
  again(): BatchJob {
    const temporary = { path: join(this.directory, ".."), [Symbol.asyncDispose]: async () => {} };
    return new BatchJob(this.pod, temporary, batchScriptPath(), {});
  }

  /** Exit code of the script. */
  async end(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null)
      await once(this.child, "exit");
    return this.child.exitCode;
  }

  get stderr(): string {
    return this.#stderr;
  }

  terminate(): void {
    this.child.kill("SIGTERM");
  }

  records(now?: number): Promise<BatchRecords> {
    return readBatchRecords(this.directory, this.pod, now === undefined ? {} : { now });
  }

  /** The lines of the records without their times. */
  async lines(): Promise<string[]> {
    const text = await this.file("records").catch(() => "");
    return text
      .split("\n")
      .slice(0, -1)
      .map((line) => line.slice(line.indexOf(" ") + 1));
  }

  /** Waits for a line of the records that begins with these words. */
  async until(start: string): Promise<string> {
    return eventually(`"${start}" in the records: ${this.#stderr}`, async () => {
      const lines = await this.lines();
      if (this.child.exitCode !== null && !lines.some((line) => line.startsWith(start)))
        throw new Error(`the job has ended without "${start}":\n${lines.join("\n")}`);
      return lines.find((line) => line.startsWith(start));
    });
  }

  file(path: string): Promise<string> {
    return readFile(join(this.directory, path), "utf8");
  }

  log(container: string, attempt = 0): Promise<string> {
    return this.file(`logs/${container}-${attempt}.log`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guard?.[Symbol.asyncDispose]();
    // Containers end with the script, whatever it is doing.
    this.child.kill("SIGKILL");
    await this.end();
    // Its containers may just be writing down their ends.
    await rm(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    await this.#temporary[Symbol.asyncDispose]();
  }
}
