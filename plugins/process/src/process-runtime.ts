import { readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type {
  ContainerHandle,
  ContainerRuntime,
  ContainerSpec,
  CreatedContainer,
  ImageState,
  ObservedContainer,
  RuntimeCapacity,
  RuntimeLogOptions,
  RuntimeStats,
  SandboxSpec,
  SandboxState,
  StreamRequest,
  TimelineRecorder,
} from "@interlink/plugin-sdk";
import {
  connectTo,
  consoleScriptPath,
  consoleWords,
  createTimelineRecorder,
  RuntimeError,
  readLog,
} from "@interlink/plugin-sdk";
import type { PortConnection, ProcessStreams, TerminalSize } from "@interlink/protocol";
import type { Logger } from "pino";
import { attachTo } from "./attach-to.ts";
import { hostCapacity } from "./capacity.ts";
import { ContainerIndex } from "./container-index.ts";
import { MARKER } from "./environment.ts";
import type { ExecOrder } from "./exec-session.ts";
import { execSession } from "./exec-session.ts";
import { ExitWatch } from "./exit-watch.ts";
import { findBash, findContainers, findPerl } from "./find-containers.ts";
import type { Consoles } from "./prepare-container.ts";
import { prepareContainer } from "./prepare-container.ts";
import type { ContainerParts } from "./process-container.ts";
import { ProcessContainer } from "./process-container.ts";
import { ProcessTable } from "./process-table.ts";
import { runProgram } from "./run-program.ts";
import { Spawner } from "./spawner.ts";
import { Usage } from "./usage.ts";
import type { NamespaceTools } from "./volumes.ts";
import { probeNamespaces } from "./volumes.ts";

export interface ProcessRuntimeOptions {
  /** The plugin's directory; jobs lie in `jobs/<uid>` below it. */
  root: string;
  logger: Logger;
  /** Directory with the scripts. */
  scripts: string;
  /** How many pods the node says it can take. Default 1000. */
  pods?: number;
  /** Address of the host. Default 127.0.0.1. */
  address?: string;
  /** `false`: never use mount namespaces. Default: where they work. */
  namespaces?: boolean;
}

/** From the end of a container to the search for what it left behind. */
const SWEEP_AFTER_MS = 1_000;

/**
 * Containers as processes of this host. Isolates nothing: they run as the plugin's user, see the host's files,
 * processes and network. A bash runner per container waits for its end, so they outlive the plugin.
 */
export class ProcessRuntime implements ContainerRuntime {
  readonly type = "process";
  readonly #options: ProcessRuntimeOptions;
  readonly #containers = new ContainerIndex();
  readonly #swept = new Set<ProcessContainer>();
  #sweep: NodeJS.Timeout | undefined;
  readonly #listeners = new Set<(change: { uid: string }) => void>();
  readonly #timelines: TimelineRecorder;
  readonly #watch: ExitWatch;
  readonly #table = new ProcessTable(MARKER);
  readonly #spawner: Spawner;
  #parts: ContainerParts | undefined;
  #namespaces: NamespaceTools | undefined;
  #consoles: Consoles | undefined;
  readonly #usage: Usage;

  constructor(options: ProcessRuntimeOptions) {
    this.#options = options;
    this.#timelines = createTimelineRecorder({ logger: options.logger });
    this.#watch = new ExitWatch(options.logger);
    this.#usage = new Usage(this.#table, { root: options.root });
    this.#spawner = new Spawner(join(options.scripts, "spawn.mjs"));
  }

  async start(signal: AbortSignal): Promise<void> {
    const { logger, scripts, namespaces = true } = this.#options;
    const bash = await findBash();
    const perl = await findPerl();
    if (perl !== undefined) this.#consoles = { perl, script: consoleScriptPath() };
    this.#parts = {
      bash,
      runner: join(scripts, "run-container.sh"),
      bootId: (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim(),
      table: this.#table,
      spawner: this.#spawner,
      changed: (container) => this.#changed(container),
    };
    if (namespaces) {
      this.#namespaces = await probeNamespaces(bash, join(scripts, "enter-volumes.sh"), signal);
    }
    logger.warn(
      { mountNamespaces: this.#namespaces !== undefined },
      "the process plugin isolates nothing: containers run as this user, with this host's files, processes and network",
    );
    await this.#takeOver(this.#parts);
  }

  async capacity(): Promise<RuntimeCapacity> {
    return hostCapacity(this.#options.pods);
  }

  async ensureSandbox({ pod }: SandboxSpec): Promise<SandboxState> {
    const name = pod.spec?.runtimeClassName;
    if (name) {
      // Classes mostly stand for more isolation, of which there is none here.
      const what = `RuntimeClass ${JSON.stringify(name)} names a container runtime, and the process plugin has none: leave runtimeClassName out.`;
      throw new RuntimeError("CreateFailed", what);
    }
    // Nothing outlives a restart of the machine.
    const { bootId } = this.#started();
    return { podIPs: [this.#options.address ?? "127.0.0.1"], instance: bootId };
  }

  async removeSandbox(uid: string, signal: AbortSignal): Promise<void> {
    const own = this.#containers.ofPod(uid);
    await Promise.all(own.map((container) => container.stop(0, signal)));
    // What left its session with a process group of its own is found by its environment.
    await Promise.all(own.map((container) => container.kill({ spareRunner: false })));
    for (const container of own) await this.#forget(container);
  }

  async ensureImage(): Promise<ImageState> {
    return { imageID: "process", pulled: false, isIgnored: true };
  }

  async createContainer(spec: ContainerSpec, signal: AbortSignal): Promise<CreatedContainer> {
    const parts = this.#started();
    const { pod, container, attempt } = spec;
    const handle = { uid: pod.metadata?.uid ?? "", containerName: container.name, attempt };
    const existing = this.#containers.find(handle);
    if (existing !== undefined) return existing.handle;
    const { info, files, isFresh, warnings } = await prepareContainer(
      spec,
      {
        bootId: parts.bootId,
        canMount: this.#namespaces !== undefined,
        consoles: this.#consoles,
      },
      signal,
    );
    const made = new ProcessContainer(parts, info, files, { isFresh });
    this.#containers.add(made);
    return { ...made.handle, ...(warnings.length > 0 && { warnings }) };
  }

  async startContainer(handle: ContainerHandle): Promise<void> {
    const { bash } = this.#started();
    const container = this.#containers.find(handle);
    if (container === undefined) {
      throw new RuntimeError("StartFailed", "The files of the container have been removed.");
    }
    const { info, files } = container;
    if (info.hasMounts && this.#namespaces === undefined) {
      throw new RuntimeError("StartFailed", "This host no longer lets the process plugin mount.");
    }
    this.#timelines.watch(info.logFile);
    const script = join(this.#options.scripts, "enter-volumes.sh");
    const launcher = info.hasMounts
      ? [...(this.#namespaces?.unshare ?? []), "--", bash, "-p", script, files.directory]
      : [];
    await container.start(launcher);
  }

  async stopContainer(
    handle: ContainerHandle,
    graceSeconds: number,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#containers.find(handle)?.stop(graceSeconds, signal);
  }

  async removeContainer(handle: ContainerHandle): Promise<void> {
    const container = this.#containers.find(handle);
    if (container === undefined) return;
    await container.kill({ spareRunner: false });
    await this.#forget(container);
    await rm(container.files.directory, { recursive: true, force: true });
    await rm(container.info.logFile, { force: true });
  }

  async list(_signal: AbortSignal, only?: ReadonlySet<string>): Promise<ObservedContainer[]> {
    const uids = only ?? this.#containers.uids();
    const asked = [...uids].flatMap((uid) => this.#containers.ofPod(uid));
    return Promise.all(asked.map((container) => container.observe()));
  }

  onChange(listener: (change: { uid: string }) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  logs(
    handle: ContainerHandle,
    options: RuntimeLogOptions,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    const container = this.#containers.find(handle);
    if (container === undefined) return nothing();
    return readLog(container.info.logFile, options, {
      signal,
      ended: async () => (await container.observe()).state === "exited",
    });
  }

  async exec(
    handle: ContainerHandle,
    argv: readonly string[],
    options: { maxOutputBytes: number },
    signal: AbortSignal,
  ): Promise<{ exitCode: number; output: string }> {
    const order = await this.#inside(handle, argv, signal);
    return runProgram(order.argv, { ...order, ...options }, signal);
  }

  async openExec(
    handle: ContainerHandle,
    request: { command: readonly string[]; size?: TerminalSize } & StreamRequest,
    signal: AbortSignal,
  ): Promise<ProcessStreams> {
    const order = await this.#inside(handle, request.command, signal);
    if (!request.tty) return execSession(order, request);
    if (this.#consoles === undefined) {
      throw new RuntimeError("StartFailed", "This host has no perl, which a terminal needs here.");
    }
    const { perl, script } = this.#consoles;
    const argv = [...consoleWords(perl, script, "tty", request.size), ...order.argv];
    return execSession({ ...order, argv }, request);
  }

  async openAttach(
    handle: ContainerHandle,
    request: StreamRequest,
    signal: AbortSignal,
  ): Promise<ProcessStreams> {
    const container = this.#containers.find(handle);
    if (container === undefined || (await container.command(signal)) === undefined) {
      throw notRunning(handle);
    }
    return attachTo(container, request);
  }

  async connect(_uid: string, port: number, signal: AbortSignal): Promise<PortConnection> {
    return connectTo("127.0.0.1", port, signal);
  }

  async stats(): Promise<RuntimeStats> {
    const running: ProcessContainer[] = [];
    for (const uid of this.#containers.uids()) {
      for (const one of this.#containers.ofPod(uid)) {
        if (!one.hasEnded) running.push(one);
      }
    }
    return this.#usage.measure(running);
  }

  async probeAddress(): Promise<string> {
    return this.#options.address ?? "127.0.0.1";
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    clearTimeout(this.#sweep);
    this.#watch.close();
    await this.#spawner.close();
    await this.#timelines.close();
  }

  async #takeOver(parts: ContainerParts): Promise<void> {
    const { root, logger } = this.#options;
    for await (const { info, files } of findContainers(root, logger)) {
      const found = new ProcessContainer(parts, info, files, { isFresh: false });
      this.#containers.add(found);
      const { state } = await found.observe();
      if (state !== "running") continue;
      this.#timelines.watch(info.logFile);
      this.#watch.add(files.directory, basename(files.exit), () => this.#changed(found));
    }
  }

  #changed(container: ProcessContainer): void {
    void this.#timelines.unwatch(container.info.logFile).catch((error: unknown) => {
      this.#options.logger.warn(
        { err: error, uid: container.info.uid, id: container.id },
        "its log has no times at the end",
      );
    });
    this.#sweepSoon(container);
    for (const listener of this.#listeners) listener({ uid: container.info.uid });
  }

  async #forget(container: ProcessContainer): Promise<void> {
    this.#containers.remove(container);
    this.#watch.remove(container.files.directory);
    await this.#timelines.unwatch(container.info.logFile);
  }

  /** As in a container, nothing outlives the first process. One look at the process table for all that ended lately. */
  #sweepSoon(container: ProcessContainer): void {
    this.#swept.add(container);
    this.#sweep ??= setTimeout(() => {
      this.#sweep = undefined;
      const ended = [...this.#swept].filter(({ hasEnded }) => hasEnded);
      this.#swept.clear();
      for (const one of ended) {
        one.kill({ spareRunner: false }).catch((error: unknown) => {
          this.#options.logger.warn(
            { err: error, uid: one.info.uid, id: one.id },
            "leftovers may still run",
          );
        });
      }
    }, SWEEP_AFTER_MS).unref();
  }

  /** A command as it must be started to run where the container's own does, with the same environment. */
  async #inside(
    handle: ContainerHandle,
    words: readonly string[],
    signal: AbortSignal,
  ): Promise<ExecOrder> {
    const container = this.#containers.find(handle);
    const command = await container?.command(signal);
    if (container === undefined || command === undefined) throw notRunning(handle);
    const { env, envWords = [], cwd, hasMounts } = container.info;
    const argv = envWords.length > 0 ? ["/usr/bin/env", ...envWords, ...words] : words;
    if (!hasMounts) return { argv, env, cwd };
    const enter = this.#namespaces?.nsenter ?? [];
    return { argv: [...enter, String(command.pid), "--", ...argv], env };
  }

  #started(): ContainerParts {
    if (this.#parts !== undefined) return this.#parts;
    throw new RuntimeError("Unavailable", "The process runtime has not started yet.");
  }
}

function notRunning({ containerName }: ContainerHandle): RuntimeError {
  return new RuntimeError("NotRunning", `The container ${containerName} is not running.`);
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // A container without files has no log.
}
