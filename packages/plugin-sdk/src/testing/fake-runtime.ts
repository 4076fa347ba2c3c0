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
  SandboxState,
} from "../runtime/container-runtime.ts";
import type { Clock } from "../supervisor/clock.ts";

/** What a container does, by its name. */
export interface Behaviour {
  /** Ends right after its start. Absent: runs until stopped or until {@link FakeRuntime.exit}. */
  exitCode?: number;
  /** Exit code after the stop signal. Default 143. */
  stopCode?: number;
  /** Does not end on the stop signal, only by SIGKILL. */
  ignoresStop?: boolean;
  /** Of commands run in it. Default: exit 0. */
  exec?: (argv: readonly string[]) => { exitCode: number; output: string };
}

type Step =
  | "ensureSandbox"
  | "removeSandbox"
  | "ensureImage"
  | "createContainer"
  | "startContainer"
  | "stopContainer"
  | "removeContainer"
  | "list"
  | "exec";

interface FakeContainer extends ObservedContainer {
  spec: ContainerSpec;
}

/** A container engine in memory. It outlives the supervisors that use it, as a real one does. */
export class FakeRuntime implements ContainerRuntime {
  readonly type = "fake";
  readonly behaviours = new Map<string, Behaviour>();
  /** Every step taken, in order: `startContainer main 0`. */
  readonly calls: string[] = [];
  /** Every real start: `uid/name/attempt`. One that is in here twice ran twice. */
  readonly starts: string[] = [];
  readonly containers = new Map<string, FakeContainer>();
  readonly sandboxes = new Set<string>();
  /** Set before a pod is created: it can measure what containers write. */
  layerBytes?: NonNullable<ContainerRuntime["layerBytes"]>;
  readonly #clock: Clock;
  readonly #faults: { step: Step; error: Error }[] = [];
  readonly #listeners = new Set<(change: { uid: string }) => void>();
  readonly #changed = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The next call of this step fails so; again with each call of this method. */
  failNext(step: Step, error: Error): void {
    this.#faults.push({ step, error });
  }

  exit(name: string, exitCode: number, extra: Partial<ObservedContainer> = {}): void {
    for (const container of this.containers.values()) {
      if (container.containerName === name && container.state === "running") {
        this.#end(container, exitCode, extra);
      }
    }
  }

  /** As if somebody had removed the sandbox of these containers behind our back. */
  loseSandbox(uid: string): void {
    this.sandboxes.delete(uid);
    this.#tell(uid);
  }

  /** As if somebody had removed it behind our back. */
  vanish(name: string): void {
    for (const [key, container] of this.containers) {
      if (container.containerName === name) this.containers.delete(key);
    }
  }

  async capacity(): Promise<RuntimeCapacity> {
    return { cpu: "4", memory: "8Gi", pods: "110" };
  }

  /** Of every sandbox; tests change it to lose them all. */
  instance: string | undefined;

  async ensureSandbox({ pod }: { pod: { metadata?: { uid?: string } } }): Promise<SandboxState> {
    await this.#step("ensureSandbox");
    this.sandboxes.add(pod.metadata?.uid ?? "");
    return {
      podIPs: ["10.0.0.7"],
      ...(this.instance !== undefined && { instance: this.instance }),
    };
  }

  async removeSandbox(uid: string): Promise<void> {
    await this.#step("removeSandbox");
    this.sandboxes.delete(uid);
    for (const [key, container] of this.containers) {
      if (container.uid === uid) this.containers.delete(key);
    }
  }

  async ensureImage({ image }: ImageRequest): Promise<ImageState> {
    await this.#step("ensureImage", image);
    return { imageID: `sha256:${image}`, pulled: false };
  }

  async createContainer(spec: ContainerSpec): Promise<CreatedContainer> {
    const uid = spec.pod.metadata?.uid ?? "";
    const { name } = spec.container;
    await this.#step("createContainer", `${name} ${spec.attempt}`);
    const key = `${uid}/${name}/${spec.attempt}`;
    const existing = this.containers.get(key);
    if (existing !== undefined) return existing;
    const created: FakeContainer = {
      uid,
      containerName: name,
      attempt: spec.attempt,
      id: `${name}-${spec.attempt}`,
      state: "created",
      imageID: spec.imageID,
      spec,
    };
    this.containers.set(key, created);
    return created;
  }

  async startContainer(handle: ContainerHandle): Promise<void> {
    await this.#step("startContainer", `${handle.containerName} ${handle.attempt}`);
    const container = this.#find(handle);
    if (container === undefined) throw new Error("no such container");
    if (container.state !== "created") return;
    this.starts.push(`${handle.uid}/${handle.containerName}/${handle.attempt}`);
    container.state = "running";
    container.startedAt = new Date(this.#clock.now()).toISOString();
    const { exitCode } = this.behaviours.get(handle.containerName) ?? {};
    if (exitCode !== undefined) this.#end(container, exitCode, {});
    else this.#tell(handle.uid);
  }

  async stopContainer(
    handle: ContainerHandle,
    graceSeconds: number,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#step("stopContainer", `${handle.containerName} ${handle.attempt} ${graceSeconds}s`);
    const container = this.#find(handle);
    if (container === undefined || container.state === "exited") return;
    const { ignoresStop, stopCode = 143 } = this.behaviours.get(handle.containerName) ?? {};
    if (!ignoresStop || container.state === "created") this.#end(container, stopCode, {});
    else if (graceSeconds === 0) this.#end(container, 137, {});
    this.#clock.at(this.#clock.now() + graceSeconds * 1000, () => {
      if (container.state === "running") this.#end(container, 137, {});
    });
    while (container.state === "running" && this.containers.size > 0) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#changed.add(resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  async removeContainer(handle: ContainerHandle): Promise<void> {
    await this.#step("removeContainer", `${handle.containerName} ${handle.attempt}`);
    this.containers.delete(`${handle.uid}/${handle.containerName}/${handle.attempt}`);
  }

  async list(): Promise<ObservedContainer[]> {
    await this.#step("list");
    return [...this.containers.values()].map(({ spec: _spec, ...observed }) => ({
      ...observed,
      ...(observed.state !== "created" &&
        !this.sandboxes.has(observed.uid) && { hasLostSandbox: true }),
    }));
  }

  onChange(listener: (change: { uid: string }) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async *logs(handle: ContainerHandle, _options: RuntimeLogOptions): AsyncIterable<Uint8Array> {
    yield Buffer.from(`log of ${handle.containerName} ${handle.attempt}\n`);
  }

  async exec(
    handle: ContainerHandle,
    argv: readonly string[],
  ): Promise<{ exitCode: number; output: string }> {
    await this.#step("exec", `${handle.containerName} ${argv.join(" ")}`);
    return this.behaviours.get(handle.containerName)?.exec?.(argv) ?? { exitCode: 0, output: "" };
  }

  async probeAddress(): Promise<string | undefined> {
    return "127.0.0.1";
  }

  async close(): Promise<void> {
    this.#listeners.clear();
  }

  #find(handle: ContainerHandle): FakeContainer | undefined {
    return this.containers.get(`${handle.uid}/${handle.containerName}/${handle.attempt}`);
  }

  #end(container: FakeContainer, exitCode: number, extra: Partial<ObservedContainer>): void {
    const finishedAt = new Date(this.#clock.now()).toISOString();
    Object.assign(container, { state: "exited", exitCode, finishedAt, ...extra });
    for (const resolve of this.#changed) resolve();
    this.#changed.clear();
    this.#tell(container.uid);
  }

  #tell(uid: string): void {
    for (const listener of this.#listeners) listener({ uid });
  }

  async #step(step: Step, detail = ""): Promise<void> {
    if (step !== "list") this.calls.push(`${step} ${detail}`.trim());
    await Promise.resolve();
    const index = this.#faults.findIndex((fault) => fault.step === step);
    const [fault] = index < 0 ? [] : this.#faults.splice(index, 1);
    if (fault !== undefined) throw fault.error;
  }
}
