import type {
  ContainerHandle,
  ContainerRuntime,
  ContainerSpec,
  CreatedContainer,
  ImageRequest,
  ImageState,
  ObservedContainer,
  RuntimeCapacity,
  RuntimeLogOptions,
  RuntimeStats,
  SandboxSpec,
  SandboxState,
  StreamRequest,
} from "@interlink/plugin-sdk";
import { type Clock, RuntimeError, systemClock, TERMINATION_FILE } from "@interlink/plugin-sdk";
import type { PortConnection, ProcessStreams } from "@interlink/protocol";
import type { Container, Pod } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";
import { Devices, type DevicesOptions } from "./devices/devices.ts";
import { showAddress } from "./engine/engine-address.ts";
import type { EngineClient } from "./engine/engine-client.ts";
import { isEngineError } from "./engine/engine-error.ts";
import { diskAt } from "./images/engine-images.ts";
import type { ImageSettings } from "./images/image-settings.ts";
import { ImageUpkeep } from "./images/image-upkeep.ts";
import type { LogConfig } from "./pods/container-config.ts";
import type { DnsSettings } from "./pods/pod-dns.ts";
import { PodFiles } from "./remote/pod-files.ts";
import { seesDirectory } from "./remote/shared-directory.ts";
import { ChangeFeed } from "./runtime/change-feed.ts";
import { ContainerList } from "./runtime/container-list.ts";
import { containerLogs } from "./runtime/container-logs.ts";
import { Containers } from "./runtime/containers.ts";
import { DiskLimits } from "./runtime/disk-limits.ts";
import type { EngineInfo } from "./runtime/engine-types.ts";
import { exec } from "./runtime/exec.ts";
import { KernelLog } from "./runtime/kernel-log.ts";
import { PAUSE_REPOSITORY, RELAY_PATH } from "./runtime/pause-image.ts";
import { engineStep } from "./runtime/runtime-errors.ts";
import { Sandboxes } from "./runtime/sandboxes.ts";
import { StatsReader } from "./stats/stats-reader.ts";
import { connect } from "./streams/connect.ts";
import { openAttach } from "./streams/open-attach.ts";
import { openExec } from "./streams/open-exec.ts";
import type { ClaimRule } from "./volumes/claim-rules.ts";
import type { MountKeeper } from "./volumes/mount-keeper.ts";

/** The engine, and what pods get of it. */
export interface DockerRuntimeOptions {
  engine: EngineClient;
  logger: Logger;
  /** Marks what is made in the engine. Two plugins on one engine need two names, or they remove each other's pods. */
  plugin: string;
  /** Network of the engine that pods are attached to. Default `bridge`. */
  network?: string;
  /** Instead of the built-in sandbox image: one that is present in the engine, whose `/pause` waits for ever. */
  sandboxImage?: string;
  /** Default 5 files of 10 MB for each container attempt. */
  log?: LogConfig;
  /** Most pods at a time, told as capacity. Default 110. */
  pods?: number;
  /** How pods find names. Default: as the engine's other containers. */
  dns?: DnsSettings;
  /** RuntimeClass to runtime of the engine (`docker info` lists these). Default none. */
  runtimeClasses?: Readonly<Record<string, string>>;
  /** Directory of the seccomp profiles (JSON) that pods may name by type Localhost. Default: none may. */
  seccompProfiles?: string;
  /** Address of the engine's machine, told for pods on its network. Default: found out, if it can be. */
  hostIP?: string;
  /** Where PersistentVolumeClaims lie. Default: nowhere. */
  claims?: readonly ClaimRule[];
  /**
   * The plugin's directory, and the one of each pod in it. If the engine does not see them, their files are copied to it.
   * Default: the engine sees everything.
   */
  files?: { root: string; directory: (uid: string) => string };
  /** Sees to it that what the engine mounts is what was checked. Default: nobody does. */
  mounts?: MountKeeper;
  /** Why a container may not run here, as a sentence. Default: every one may. */
  refuses?: (container: Container) => string | undefined;
  /** What pods may have of devices, and the file that remembers who has which. Default: no devices. */
  devices?: Pick<DevicesOptions, "settings" | "file" | "hasJob">;
  /** Images pulled ahead, and their removal; without a `file` to remember pulls in none is ever removed. */
  images?: ImageSettings & { file?: string };
  /** Default: the real one. */
  clock?: Clock;
  /** Milliseconds since the epoch. Default: the clock's. */
  now?: () => number;
  /** Between 0 and 1, for the jitter of back-off. */
  random?: () => number;
}

/** Containers on a Docker Engine, or on Podman's compatible API. */
export class DockerRuntime implements ContainerRuntime {
  readonly type = "docker";
  readonly wantsPullSecrets = true;
  readonly keepsStreamsApart = true;
  readonly #engine: EngineClient;
  readonly #logger: Logger;
  readonly #pods: number;
  readonly #mounts: MountKeeper | undefined;
  readonly #sandboxes: Sandboxes;
  readonly #images: ImageUpkeep;
  readonly #containers: Containers;
  readonly #kernel: KernelLog;
  readonly #list: ContainerList;
  readonly #changes: ChangeFeed;
  readonly #stats: StatsReader;
  readonly #devices: Devices | undefined;
  readonly #disk: DiskLimits;
  readonly #settings: Pick<DockerRuntimeOptions, "plugin" | "files">;
  /** Only for an engine that does not see the files of this machine. */
  #files: PodFiles | undefined;
  /** In bytes; until the engine has told it, and where it may not set scores, none. */
  #machineMemory: number | undefined;

  constructor(options: DockerRuntimeOptions) {
    const { engine, logger, plugin } = options;
    this.#engine = engine;
    this.#settings = options;
    this.#logger = logger;
    this.#pods = options.pods ?? 110;
    this.#mounts = options.mounts;
    this.#devices = options.devices && new Devices({ engine, logger, ...options.devices });
    this.#sandboxes = new Sandboxes(engine, {
      plugin,
      network: options.network ?? "bridge",
      ...(options.sandboxImage !== undefined && { image: options.sandboxImage }),
      ...(options.dns !== undefined && { dns: options.dns }),
      ...(options.hostIP !== undefined && { hostIP: options.hostIP }),
      ...(options.runtimeClasses !== undefined && { runtimeClasses: options.runtimeClasses }),
    });
    const { clock = systemClock, random = Math.random } = options;
    const now = options.now ?? (() => clock.now());
    const { file, ...settings } = options.images ?? {};
    this.#images = new ImageUpkeep({
      engine,
      settings,
      ...(file !== undefined && { file }),
      clock,
      random,
      logger,
    });
    this.#disk = new DiskLimits(engine, logger);
    this.#containers = new Containers(engine, this.#sandboxes, this.#images.store, {
      plugin,
      log: options.log ?? { maxSize: "10m", maxFiles: 5 },
      ...(options.dns?.clusterDomain !== undefined && { clusterDomain: options.dns.clusterDomain }),
      ...(options.seccompProfiles !== undefined && { seccompProfiles: options.seccompProfiles }),
      ...(options.claims !== undefined && { claims: options.claims }),
      ...(options.mounts !== undefined && { mounts: options.mounts }),
      ...(options.refuses !== undefined && { refuses: options.refuses }),
      ...(this.#devices !== undefined && { devices: this.#devices }),
      disk: this.#disk,
      files: () => this.#files,
      machineMemory: () => this.#machineMemory,
    });
    this.#kernel = new KernelLog((error) => {
      logger.warn(
        { err: error },
        "the kernel's log cannot be read: a container that runs out of memory is told as killed, without the reason",
      );
    });
    this.#list = new ContainerList(
      engine,
      plugin,
      this.#containers,
      this.#kernel,
      async (container, signal) => this.#files?.fetchMessage(container, TERMINATION_FILE, signal),
    );
    this.#stats = new StatsReader(engine, {
      containers: (signal) => this.list(signal),
      sandboxes: (signal) => this.#sandboxes.all(signal),
      now,
    });
    this.#changes = new ChangeFeed(engine, plugin, logger, random);
  }

  async start(signal: AbortSignal): Promise<void> {
    const where = showAddress(this.#engine.address);
    try {
      const { OSType = "linux" } = await this.#info(signal);
      if (OSType !== "linux") {
        throw new RuntimeError(
          "Unavailable",
          `The container engine at ${where} runs ${OSType} containers; pods need Linux containers.`,
        );
      }
      await this.#devices?.start(signal);
      const sandboxImage = await this.#sandboxes.prepare(signal);
      await this.#images.start([sandboxImage, PAUSE_REPOSITORY]);
      await this.#findFiles(sandboxImage, signal);
    } catch (error) {
      if (!isEngineError(error, "unreachable")) throw error;
      throw new RuntimeError(
        "Unavailable",
        `No container engine answers at ${where}: start Docker (or Podman's API socket), or set DOCKER_HOST.`,
        { cause: error },
      );
    }
  }

  async capacity(signal: AbortSignal): Promise<RuntimeCapacity> {
    const { NCPU, MemTotal, DockerRootDir } = await engineStep("Unavailable", () =>
      this.#info(signal),
    );
    const disk = await diskAt(this.#engine, DockerRootDir);
    return {
      cpu: String(NCPU),
      memory: String(MemTotal),
      pods: String(this.#pods),
      ...(disk !== undefined && { ephemeralStorage: String(disk.total) }),
      ...(this.#devices !== undefined && { extended: this.#devices.capacity() }),
    };
  }

  /** Why the pod can never have its devices here; `undefined` if it can. */
  deviceProblem(pod: Pod): string | undefined {
    return this.#devices?.problem(pod);
  }

  async ensureSandbox({ pod }: SandboxSpec, signal: AbortSignal): Promise<SandboxState> {
    await this.#devices?.assign(pod);
    return engineStep("CreateFailed", () => this.#sandboxes.ensure(pod, signal));
  }

  async stopSandbox(uid: string, signal: AbortSignal): Promise<void> {
    await engineStep("Unavailable", () => this.#sandboxes.stop(uid, signal));
    // Nothing of the pod starts again.
    await this.#devices?.release(uid);
  }

  async removeSandbox(uid: string, signal: AbortSignal): Promise<void> {
    await engineStep("Unavailable", () => this.#sandboxes.remove(uid, signal));
    await this.#mounts?.release({ uid });
    this.#files?.forget(uid);
    await this.#devices?.release(uid);
  }

  async ensureImage(request: ImageRequest, signal: AbortSignal): Promise<ImageState> {
    return engineStep("Unavailable", () => this.#images.store.ensure(request, signal));
  }

  async createContainer(spec: ContainerSpec, signal: AbortSignal): Promise<CreatedContainer> {
    return engineStep("CreateFailed", () => this.#containers.create(spec, signal));
  }

  async startContainer(handle: ContainerHandle, signal: AbortSignal): Promise<void> {
    await engineStep("StartFailed", () => this.#containers.start(handle, signal));
  }

  async stopContainer(
    handle: ContainerHandle,
    graceSeconds: number,
    signal: AbortSignal,
  ): Promise<void> {
    await engineStep("Unavailable", () => this.#containers.stop(handle, graceSeconds, signal));
    this.#list.noteChange(handle.id);
  }

  async removeContainer(handle: ContainerHandle, signal: AbortSignal): Promise<void> {
    await engineStep("Unavailable", () => this.#containers.remove(handle, signal));
  }

  async list(signal: AbortSignal, only?: ReadonlySet<string>): Promise<ObservedContainer[]> {
    const containers = await engineStep("Unavailable", () => this.#list.list(signal, only));
    if (only === undefined) this.#containers.retain(new Set(containers.map(({ id }) => id)));
    return containers;
  }

  onChange(listener: (change: { uid: string }) => void): () => void {
    return this.#changes.listen(({ uid, id, oom, sandboxEnded }) => {
      if (sandboxEnded) this.#sandboxes.forget(uid);
      if (id !== undefined && oom) this.#list.noteOom(id);
      if (id !== undefined) this.#list.noteChange(id);
      listener({ uid });
    });
  }

  logs(
    handle: ContainerHandle,
    options: RuntimeLogOptions,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    return containerLogs(this.#engine, handle.id, options, signal);
  }

  async exec(
    handle: ContainerHandle,
    argv: readonly string[],
    options: { maxOutputBytes: number },
    signal: AbortSignal,
  ): Promise<{ exitCode: number; output: string }> {
    return engineStep("Unavailable", () =>
      exec(this.#engine, handle.id, argv, options.maxOutputBytes, signal),
    );
  }

  async openExec(
    handle: ContainerHandle,
    request: { command: readonly string[] } & StreamRequest,
    signal: AbortSignal,
  ): Promise<ProcessStreams> {
    return engineStep("Unavailable", () =>
      openExec(this.#engine, handle, request, this.#logger, signal),
    );
  }

  async openAttach(
    handle: ContainerHandle,
    request: StreamRequest,
    signal: AbortSignal,
  ): Promise<ProcessStreams> {
    return engineStep("Unavailable", () =>
      openAttach(this.#engine, handle, request, this.#logger, signal),
    );
  }

  async connect(uid: string, port: number, signal: AbortSignal): Promise<PortConnection> {
    return engineStep("Unavailable", async () => {
      const id = await this.#sandboxes.running(uid, signal);
      const relay = {
        command: [RELAY_PATH],
        stdin: true,
        stdout: true,
        stderr: true,
        tty: false,
      };
      return connect(
        {
          port,
          address: () => this.#sandboxes.address(uid, signal),
          // A server may take no notice of the end of its input, but nobody is there for its output.
          openRelay: (step) => openExec(this.#engine, { id, uid }, relay, this.#logger, step, true),
        },
        signal,
      );
    });
  }

  async stats(signal: AbortSignal): Promise<RuntimeStats> {
    return engineStep("Unavailable", () => this.#stats.read(signal));
  }

  async layerBytes(handle: ContainerHandle, signal: AbortSignal): Promise<number | undefined> {
    return engineStep("Unavailable", () => this.#disk.used(handle, signal));
  }

  async probeAddress(uid: string, signal: AbortSignal): Promise<string | undefined> {
    // An engine that does not see this machine's files is likely to be on another, whose pods' network is its own.
    if (this.#files !== undefined) return undefined;
    return engineStep("Unavailable", () => this.#sandboxes.address(uid, signal));
  }

  async volumesChanged(uid: string, signal: AbortSignal): Promise<void> {
    await engineStep("Unavailable", async () => this.#files?.refresh(uid, signal));
  }

  async close(): Promise<void> {
    await this.#images[Symbol.asyncDispose]();
    await this.#changes.close();
    await this.#kernel[Symbol.asyncDispose]();
    await this.#engine[Symbol.asyncDispose]();
  }

  /** Whether files of pods have to be copied to the engine. */
  async #findFiles(image: string, signal: AbortSignal): Promise<void> {
    const { plugin, files } = this.#settings;
    if (files === undefined) return;
    if (await this.#seesRoot(files.root, { plugin, image }, signal)) return;
    this.#logger.info(
      { root: files.root },
      "the container engine does not see this directory: the files of pods are copied to it",
    );
    this.#files = new PodFiles(this.#engine, {
      plugin,
      directory: files.directory,
      image: (step) => this.#sandboxes.prepare(step),
    });
  }

  /** If the engine does not let itself be asked, its answer to the first container will tell. */
  async #seesRoot(
    root: string,
    own: { plugin: string; image: string },
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      return await seesDirectory(this.#engine, root, own, signal);
    } catch (error) {
      if (!isEngineError(error) || error.code === "unreachable") throw error;
      this.#logger.warn(
        { err: error, root },
        "whether the container engine sees this directory cannot be found out: it is taken to see it",
      );
      return true;
    }
  }

  async #info(signal: AbortSignal): Promise<EngineInfo> {
    const info = await this.#engine.json<EngineInfo>({ method: "GET", path: "/info", signal });
    // An engine without rights may not go below the score that it was itself given.
    const isRootless = (info.SecurityOptions ?? []).includes("name=rootless");
    this.#machineMemory = isRootless ? undefined : info.MemTotal;
    return info;
  }
}
