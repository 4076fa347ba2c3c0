import { access, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
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
  SandboxState,
  TimelineRecorder,
} from "@interlink/plugin-sdk";
import { createTimelineRecorder, RuntimeError, readLog } from "@interlink/plugin-sdk";
import type { Logger } from "pino";
import { hostCapacity } from "./capacity.ts";
import { containerFiles, readInfo, writeInfo } from "./container-files.ts";
import { containerEnvironment, MARKER } from "./environment.ts";
import { ExitWatch } from "./exit-watch.ts";
import type { ContainerParts } from "./process-container.ts";
import { ProcessContainer } from "./process-container.ts";
import { ProcessTable } from "./process-table.ts";
import { runProgram } from "./run-program.ts";
import type { NamespaceTools } from "./volumes.ts";
import { linkVolumes, probeNamespaces, writeMounts } from "./volumes.ts";

export interface ProcessRuntimeOptions {
  /** The plugin's directory; jobs lie in `jobs/<uid>` below it. */
  root: string;
  logger: Logger;
  /** Directory with the two scripts. */
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
  /** By pod UID, then by {@link key}: no question about one pod looks at the others. */
  readonly #pods = new Map<string, Map<string, ProcessContainer>>();
  readonly #swept = new Set<ProcessContainer>();
  #sweep: NodeJS.Timeout | undefined;
  readonly #listeners = new Set<(change: { uid: string }) => void>();
  readonly #timelines: TimelineRecorder;
  readonly #watch: ExitWatch;
  readonly #table = new ProcessTable(MARKER);
  #parts: ContainerParts | undefined;
  #namespaces: NamespaceTools | undefined;

  constructor(options: ProcessRuntimeOptions) {
    this.#options = options;
    this.#timelines = createTimelineRecorder({ logger: options.logger });
    this.#watch = new ExitWatch(options.logger);
  }

  async start(signal: AbortSignal): Promise<void> {
    const { logger, scripts, namespaces = true } = this.#options;
    const bash = await findBash();
    this.#parts = {
      bash,
      runner: join(scripts, "run-container.sh"),
      bootId: (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim(),
      table: this.#table,
      changed: (container) => this.#changed(container),
    };
    if (namespaces) {
      this.#namespaces = await probeNamespaces(bash, join(scripts, "enter-volumes.sh"), signal);
    }
    logger.warn(
      { mountNamespaces: this.#namespaces !== undefined },
      "the process plugin isolates nothing: containers run as this user, with this host's files, processes and network",
    );
    await this.#findContainers(this.#parts);
  }

  async capacity(): Promise<RuntimeCapacity> {
    return hostCapacity(this.#options.pods);
  }

  async ensureSandbox(): Promise<SandboxState> {
    return { podIPs: [this.#options.address ?? "127.0.0.1"] };
  }

  async removeSandbox(uid: string, signal: AbortSignal): Promise<void> {
    const own = this.#ofPod(uid);
    await Promise.all(own.map((container) => container.stop(0, signal)));
    // What left its session with a process group of its own is found by its environment.
    await Promise.all(own.map((container) => container.kill({ spareRunner: false })));
    for (const container of own) await this.#forget(container);
  }

  async ensureImage(): Promise<ImageState> {
    return { imageID: "process", pulled: false, isIgnored: true };
  }

  async createContainer(spec: ContainerSpec): Promise<CreatedContainer> {
    const parts = this.#started();
    const { pod, container, attempt, mounts } = spec;
    const uid = pod.metadata?.uid ?? "";
    const handle = { uid, containerName: container.name, attempt };
    const existing = this.#find(handle);
    if (existing !== undefined) return { ...handle, id: existing.id };
    if (spec.command === undefined || spec.command.length === 0) {
      throw new RuntimeError(
        "CreateFailed",
        `The process plugin has no images and cannot know what to run: give the container "${container.name}" a command.`,
      );
    }
    const files = containerFiles(spec.directory);
    const wasThere = (await mkdir(files.work, { recursive: true })) === undefined;
    const cwd = container.workingDir || files.work;
    const extra: Record<string, string> = {
      INTERLINK_TERMINATION_LOG: spec.terminationMessageFile,
    };
    const warnings: CreatedContainer["warnings"] = [];
    const hasMounts = mounts.length > 0 && this.#namespaces !== undefined;
    if (hasMounts) {
      await writeMounts(files, cwd, mounts);
    } else if (mounts.length > 0) {
      const directory = join(files.work, "volumes");
      await linkVolumes(directory, mounts);
      extra["INTERLINK_VOLUMES"] = directory;
      warnings.push({
        reason: "VolumesNotMounted",
        message:
          "This host does not let the process plugin mount: the volumes are not at their mountPath but below the directory in $INTERLINK_VOLUMES.",
      });
    }
    const { env, aroundBash } = containerEnvironment(spec, { home: homedir() }, extra);
    const around = aroundBash.length > 0 ? ["/usr/bin/env", ...aroundBash] : [];
    const argv = [...around, ...spec.command, ...(spec.args ?? [])];
    await writeFile(files.argv, argv.map((word) => `${word}\0`).join(""), { mode: 0o600 });
    const lifecycle = container.lifecycle as { stopSignal?: string } | undefined;
    const made = new ProcessContainer(
      parts,
      {
        schemaVersion: 1,
        uid,
        container: container.name,
        attempt,
        bootId: parts.bootId,
        env,
        cwd,
        command: spec.command[0] ?? "",
        logFile: spec.logFile,
        stopSignal: lifecycle?.stopSignal ?? "SIGTERM",
        hasMounts,
      },
      files,
      // A runner of an earlier life may be about to claim one whose record was lost.
      { isFresh: !wasThere },
    );
    await writeInfo(files, made.info);
    this.#add(made);
    return { ...handle, id: made.id, ...(warnings.length > 0 && { warnings }) };
  }

  async startContainer(handle: ContainerHandle): Promise<void> {
    const { bash } = this.#started();
    const container = this.#find(handle);
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
    await this.#find(handle)?.stop(graceSeconds, signal);
  }

  async removeContainer(handle: ContainerHandle): Promise<void> {
    const container = this.#find(handle);
    if (container === undefined) return;
    await container.kill({ spareRunner: false });
    await this.#forget(container);
    await rm(container.files.directory, { recursive: true, force: true });
    await rm(container.info.logFile, { force: true });
  }

  async list(_signal: AbortSignal, only?: ReadonlySet<string>): Promise<ObservedContainer[]> {
    const uids = only ?? this.#pods.keys();
    const asked = [...uids].flatMap((uid) => this.#ofPod(uid));
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
    const container = this.#find(handle);
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
    const container = this.#find(handle);
    const command = await container?.command(signal);
    if (container === undefined || command === undefined) {
      throw new RuntimeError("NotRunning", `The container ${handle.containerName} is not running.`);
    }
    const { env, cwd, hasMounts } = container.info;
    const entered = hasMounts
      ? [...(this.#namespaces?.nsenter ?? []), String(command.pid), "--", ...argv]
      : argv;
    const where = hasMounts ? {} : { cwd };
    return runProgram(entered, { env, ...where, ...options }, signal);
  }

  async probeAddress(): Promise<string> {
    return this.#options.address ?? "127.0.0.1";
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    clearTimeout(this.#sweep);
    this.#watch.close();
    await this.#timelines.close();
  }

  /** Containers of an earlier life. One without a complete `container.json` was never made. */
  async #findContainers(parts: ContainerParts): Promise<void> {
    const { logger, root } = this.#options;
    const jobs = join(root, "jobs");
    for (const uid of await entries(jobs)) {
      const containers = join(jobs, uid, "containers");
      for (const name of await entries(containers)) {
        for (const attempt of await entries(join(containers, name))) {
          const files = containerFiles(join(containers, name, attempt));
          try {
            const info = await readInfo(files);
            if (info?.uid !== uid || info.container !== name) continue;
            const found = new ProcessContainer(parts, info, files, { isFresh: false });
            this.#add(found);
            const { state } = await found.observe();
            if (state !== "running") continue;
            this.#timelines.watch(info.logFile);
            this.#watch.add(files.directory, basename(files.exit), () => this.#changed(found));
          } catch (error) {
            logger.error({ err: error, directory: files.directory }, "a container is unreadable");
          }
        }
      }
    }
  }

  #changed(container: ProcessContainer): void {
    void this.#timelines.unwatch(container.info.logFile).catch((error: unknown) => {
      this.#options.logger.warn(
        { err: error, id: container.id },
        "its log has no times at the end",
      );
    });
    this.#sweepSoon(container);
    for (const listener of this.#listeners) listener({ uid: container.info.uid });
  }

  async #forget(container: ProcessContainer): Promise<void> {
    const { uid, logFile } = container.info;
    const pod = this.#pods.get(uid);
    pod?.delete(key(container.handle));
    if (pod?.size === 0) this.#pods.delete(uid);
    this.#watch.remove(container.files.directory);
    await this.#timelines.unwatch(logFile);
  }

  #add(container: ProcessContainer): void {
    const { uid } = container.info;
    const pod = this.#pods.get(uid) ?? new Map<string, ProcessContainer>();
    this.#pods.set(uid, pod.set(key(container.handle), container));
  }

  #ofPod(uid: string): ProcessContainer[] {
    return [...(this.#pods.get(uid)?.values() ?? [])];
  }

  #find(handle: Omit<ContainerHandle, "id">): ProcessContainer | undefined {
    return this.#pods.get(handle.uid)?.get(key(handle));
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
          this.#options.logger.warn({ err: error, id: one.id }, "leftovers may still run");
        });
      }
    }, SWEEP_AFTER_MS).unref();
  }

  #started(): ContainerParts {
    if (this.#parts !== undefined) return this.#parts;
    throw new RuntimeError("Unavailable", "The process runtime has not started yet.");
  }
}

function key({ containerName, attempt }: Omit<ContainerHandle, "id" | "uid">): string {
  return `${containerName}/${attempt}`;
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // A container without files has no log.
}

async function findBash(): Promise<string> {
  for (const path of ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"]) {
    try {
      await access(path);
      return path;
    } catch {
      // The next one, then.
    }
  }
  throw new RuntimeError("Unavailable", "The process plugin needs bash 4.2 or later; install it.");
}

async function entries(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}
