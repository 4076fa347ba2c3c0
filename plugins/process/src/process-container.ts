/*
 * One attempt of a container as files and processes. States:
 *
 *   created    no claim yet; `start` may spawn a runner
 *   starting   a runner was spawned; the first one to make the claim runs the command, any other leaves
 *   running    claimed, and the runner (or, if somebody killed that, the command) lives
 *   exited     an exit record, or nobody left who could write one; final
 *
 * All of it can be read from the directory, so a later life of the plugin sees the same.
 */
import { access, open, stat } from "node:fs/promises";
import type { ContainerHandle, ObservedContainer } from "@interlink/plugin-sdk";
import { RuntimeError } from "@interlink/plugin-sdk";
import type { ContainerFiles, ContainerInfo, ProcessIdentity } from "./container-files.ts";
import { cancelClaim, readClaim, readExit, readStarted } from "./container-files.ts";
import { marker } from "./environment.ts";
import { checkCommand } from "./find-command.ts";
import type { ProcessEntry, ProcessTable, Snapshot } from "./process-table.ts";
import { isAlive, sendSignal } from "./process-table.ts";
import type { Spawner } from "./spawner.ts";
import { stopSignalNumber } from "./stop-signal.ts";
import { waitFor } from "./wait-for.ts";

/** A claim is written in one go; one that stays empty this long belongs to a runner that was killed in between. */
const EMPTY_CLAIM_MS = 5_000;
/** From spawn to the command's pid being written; a loaded machine takes its time. */
const STARTED_DEADLINE_MS = 30_000;
/** After SIGKILL, for the kernel and the runner. */
const KILL_DEADLINE_MS = 10_000;
/** Timers cannot hold a grace of many weeks; after an hour the files are looked at now and then instead. */
const HOUR_MS = 3_600_000;

export interface ContainerParts {
  bash: string;
  /** `run-container.sh`. */
  runner: string;
  bootId: string;
  table: ProcessTable;
  spawner: Spawner;
  /** Something about this container may have changed. */
  changed(container: ProcessContainer): void;
}

export class ProcessContainer {
  readonly info: ContainerInfo;
  readonly files: ContainerFiles;
  readonly #parts: ContainerParts;
  #ended: ObservedContainer | undefined;
  /** Made by this process and not started yet: nobody else knows of it. */
  #isFresh: boolean;
  /** A runner that this process started; resolves when it ends. */
  #runner: Promise<void> | undefined;

  constructor(
    parts: ContainerParts,
    info: ContainerInfo,
    files: ContainerFiles,
    { isFresh }: { isFresh: boolean },
  ) {
    this.#parts = parts;
    this.#isFresh = isFresh;
    this.info = info;
    this.files = files;
  }

  get id(): string {
    const { uid, container, attempt } = this.info;
    return `${uid}.${container}.${attempt}`;
  }

  get handle(): ContainerHandle {
    const { uid, container: containerName, attempt } = this.info;
    return { uid, containerName, attempt, id: this.id };
  }

  /** Known to have ended; never untrue again. */
  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  async observe(): Promise<ObservedContainer> {
    if (this.#ended !== undefined) return this.#ended;
    if (this.#runner !== undefined) return this.#observed("running");
    if (this.#isFresh) return this.#observed("created");
    const { files } = this;
    const exit = await readExit(files);
    if (exit !== undefined) return this.#end(exit);
    const claim = await readClaim(files);
    if (claim === "cancelled") {
      return this.#end({
        exitCode: 137,
        error: "The container was stopped before it was started.",
      });
    }
    if (claim === undefined && !(await this.#hasDeadClaim())) return this.#observed("created");
    const isSameBoot = this.info.bootId === this.#parts.bootId;
    if (isSameBoot && claim !== undefined && (await isAlive(claim))) {
      const started = await readStarted(files);
      return this.#observed("running", started?.startedAt);
    }
    const started = await readStarted(files);
    if (isSameBoot && started !== undefined && (await isAlive(started))) {
      return this.#observed("running", started.startedAt);
    }
    // The record may have been written between the first look and now.
    const late = await readExit(files);
    if (late !== undefined) return this.#end(late);
    const error = isSameBoot
      ? "The process that waits for the container was killed, so its exit code is not known."
      : "The machine was restarted while the container ran.";
    return this.#end({ exitCode: 137, error, startedAt: started?.startedAt });
  }

  /**
   * Spawn a runner. `launcher`: words in front of the command, entering its mount namespace. Resolves when it has been
   * spawned.
   */
  async start(launcher: readonly string[]): Promise<void> {
    if ((await this.observe()).state !== "created") return;
    const { bash, runner, spawner } = this.#parts;
    const { env, cwd, logFile, command } = this.info;
    if (launcher.length === 0) {
      if (!(await isDirectory(cwd))) {
        throw new RuntimeError("StartFailed", `chdir to cwd ("${cwd}") failed: no such directory`);
      }
      await checkCommand(command, env["PATH"] ?? "", cwd);
    }
    this.#isFresh = false;
    const log = await open(logFile, "a", 0o600);
    const { promise, resolve } = deferred();
    let hasEnded = false;
    const order = {
      file: bash,
      args: ["-p", runner, this.files.directory, ...launcher],
      // With a namespace, `enter-volumes.sh` goes there once the volumes are in place.
      cwd: launcher.length === 0 ? cwd : this.files.work,
      env,
      log: log.fd,
    };
    try {
      await spawner.spawn(order, () => {
        hasEnded = true;
        this.#runner = undefined;
        resolve();
        this.#parts.changed(this);
      });
      // It may have ended before this is heard.
      if (!hasEnded) this.#runner = promise;
    } finally {
      await log.close();
    }
  }

  /** Stop signal to its first process, as engines do, up to `graceSeconds`, then SIGKILL to everything in it. */
  async stop(graceSeconds: number, signal: AbortSignal): Promise<void> {
    const { state } = await this.observe();
    if (state === "exited") return;
    this.#isFresh = false;
    if (state === "created" && (await cancelClaim(this.files))) {
      await this.observe();
      return;
    }
    const hasEnded = async () => {
      const { state: now } = await this.observe();
      // Its runner was killed before it could make the claim: no other is to make it.
      if (now === "created" && (await cancelClaim(this.files))) await this.observe();
      return this.hasEnded;
    };
    const deadline = performance.now() + graceSeconds * 1000;
    if (graceSeconds > 0) {
      // The command cannot be asked to stop before it is there.
      const isThere = async () =>
        (await readStarted(this.files)) !== undefined || (await hasEnded());
      await waitFor(isThere, Math.min(deadline, performance.now() + STARTED_DEADLINE_MS), signal);
      const started = await readStarted(this.files);
      if (started !== undefined && (await isAlive(started))) {
        sendSignal(started.pid, stopSignalNumber(this.info.stopSignal));
      }
      await this.#runnerEnd(deadline, signal);
      if (await waitFor(hasEnded, deadline, signal)) return;
    }
    const killDeadline = performance.now() + KILL_DEADLINE_MS;
    const kill = async () => {
      await this.kill({ spareRunner: true });
      return hasEnded();
    };
    if (await waitFor(kill, killDeadline, signal)) return;
    await this.kill({ spareRunner: false });
    if (await waitFor(hasEnded, performance.now() + KILL_DEADLINE_MS, signal)) return;
    throw new RuntimeError("Unavailable", `Processes of ${this.id} do not end on SIGKILL.`);
  }

  /** SIGKILL to everything of it that is left. Resolves with the number of processes found. */
  async kill({ spareRunner }: { spareRunner: boolean }): Promise<number> {
    const { runner, processes } = await this.#processes();
    const victims = processes.filter(({ pid }) => !spareRunner || pid !== runner);
    for (const { pid } of victims) sendSignal(pid, "SIGKILL");
    return victims.length;
  }

  /** The command once it can be joined, volumes in place; `undefined` when it has ended. */
  async command(signal: AbortSignal): Promise<ProcessIdentity | undefined> {
    const { files, info } = this;
    const isReady = async () =>
      ((await readStarted(files)) !== undefined &&
        (!info.hasMounts || (await exists(files.entered)))) ||
      (await this.observe()).state === "exited";
    await waitFor(isReady, performance.now() + STARTED_DEADLINE_MS, signal);
    const started = await readStarted(this.files);
    return started !== undefined && (await isAlive(started)) ? started : undefined;
  }

  /** Those of a look at the process table that are its. */
  async processesIn(snapshot: Snapshot): Promise<ProcessEntry[]> {
    return (await this.#processes(snapshot)).processes;
  }

  /** When its command began, RFC 3339; `undefined` if it has not. */
  async startTime(): Promise<string | undefined> {
    const started = await readStarted(this.files);
    return started?.startedAt === undefined ? undefined : new Date(started.startedAt).toISOString();
  }

  async #runnerEnd(deadline: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = deferred();
    const timer = setTimeout(resolve, Math.min(Math.max(0, deadline - performance.now()), HOUR_MS));
    signal.addEventListener("abort", resolve, { once: true });
    // A runner of an earlier life cannot be awaited; its files are looked at instead.
    await (this.#runner === undefined ? undefined : Promise.race([this.#runner, promise]));
    clearTimeout(timer);
    signal.removeEventListener("abort", resolve);
    signal.throwIfAborted();
  }

  /**
   * All of its session while the runner leads it. A session whose leader has gone may bear a reused number: then only
   * what carries the container's marker counts, and that also finds what left the session.
   */
  async #processes(
    seen?: Snapshot,
  ): Promise<{ runner: number | undefined; processes: ProcessEntry[] }> {
    const { uid, container, attempt, bootId } = this.info;
    const claim = bootId === this.#parts.bootId ? await readClaim(this.files) : undefined;
    const { processes, markers } = seen ?? (await this.#parts.table.snapshot());
    const leader = processes.find(
      ({ pid, startTime }) =>
        claim !== "cancelled" && pid === claim?.pid && startTime === claim.startTime,
    );
    const own = marker(uid, container, attempt);
    return {
      runner: leader?.pid,
      processes: processes.filter(
        ({ pid, session }) => session === leader?.pid || markers.get(pid) === own,
      ),
    };
  }

  async #hasDeadClaim(): Promise<boolean> {
    try {
      const { mtimeMs } = await stat(this.files.claim);
      return Date.now() - mtimeMs > EMPTY_CLAIM_MS;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
  }

  #observed(state: "created" | "running", startedAt?: number): ObservedContainer {
    return {
      ...this.handle,
      state,
      imageID: "process",
      ...(startedAt !== undefined && { startedAt: new Date(startedAt).toISOString() }),
    };
  }

  #end(end: {
    exitCode: number;
    startedAt?: number | undefined;
    finishedAt?: number | undefined;
    error?: string;
  }): ObservedContainer {
    this.#ended = {
      ...this.#observed("running", end.startedAt),
      state: "exited",
      exitCode: end.exitCode,
      finishedAt: new Date(end.finishedAt ?? Date.now()).toISOString(),
      ...(end.error !== undefined && { error: end.error }),
    };
    return this.#ended;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false; // Whatever the reason, it is not there for us.
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false; // Whatever the reason, it cannot be entered.
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
