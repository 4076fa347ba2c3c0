import { mkdir } from "node:fs/promises";
import type { RemotePodStatus, RetrievedPodData } from "@interlink/protocol";
import { Agent } from "undici";
import type { JobStore } from "../jobs/job-store.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import type { Clock } from "../supervisor/clock.ts";
import { Limit } from "../supervisor/limit.ts";
import { ObservationLoop } from "../supervisor/observation-loop.ts";
import { PodSupervisor } from "../supervisor/pod-supervisor.ts";
import type { PodRecord } from "../supervisor/record.ts";
import { EMPTY_RECORD } from "../supervisor/record.ts";
import { FakeRuntime } from "./fake-runtime.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryJobStore } from "./memory-job-store.ts";
import { silentLogger } from "./recording-logger.ts";

/**
 * One pod's supervisor through many lives. `crash()` ends one as SIGKILL does: at any point, with whatever was under
 * way. The engine and what was durably written live on.
 */
export class SupervisorLives {
  readonly clock = new ManualClock();
  readonly runtime = new FakeRuntime(this.clock);
  readonly store: MemoryJobStore<PodRecord>;
  readonly statuses: RemotePodStatus[] = [];
  isGone = false;
  readonly #data: RetrievedPodData;
  readonly #dispatcher = new Agent();
  #life: { isOver: boolean; supervisor: PodSupervisor; looks: ObservationLoop } | undefined;

  private constructor(root: string, data: RetrievedPodData) {
    this.store = new MemoryJobStore(root, () => EMPTY_RECORD);
    this.#data = data;
  }

  static async begin(root: string, data: RetrievedPodData): Promise<SupervisorLives> {
    const lives = new SupervisorLives(root, data);
    const { job } = await lives.store.create(data);
    const paths = lives.store.paths(job.uid);
    for (const path of [paths.volumes, paths.logs, paths.containers]) {
      await mkdir(path, { recursive: true });
    }
    lives.#live(true);
    return lives;
  }

  get uid(): string {
    return this.#data.pod.metadata?.uid ?? "";
  }

  crash(): void {
    if (this.#life !== undefined) this.#life.isOver = true;
    this.#life = undefined;
    if (!this.isGone && this.store.get(this.uid) !== undefined) this.#live(false);
    else this.isGone = true;
  }

  /** Ask for a turn, as anything that happens to the pod does. */
  wake(): void {
    this.#life?.supervisor.wake();
  }

  async requestDelete(graceSeconds: number): Promise<void> {
    if (!this.isGone) await this.#life?.supervisor.requestDelete(graceSeconds);
  }

  async end(): Promise<void> {
    if (this.#life !== undefined) {
      await this.#life.looks.close();
      await this.#life.supervisor.close();
      this.#life.isOver = true;
    }
    await this.#dispatcher.destroy();
  }

  #live(isNew: boolean): void {
    const state = { isOver: false };
    const clock: Clock = {
      now: () => this.clock.now(),
      at: (at, callback) => this.clock.at(at, () => (state.isOver ? undefined : callback())),
    };
    const runtime = mortal<ContainerRuntime>(this.runtime, state);
    const store = mortal<JobStore<PodRecord>>(this.store, state);
    const looks = new ObservationLoop({
      runtime,
      clock,
      logger: silentLogger,
      intervalMs: 10_000,
      random: () => 0,
      deliver: ({ containers, tick }) => {
        if (!state.isOver) supervisor.observe(containers.get(this.uid) ?? [], tick);
      },
    });
    this.runtime.onChange(({ uid }) => {
      if (!state.isOver) looks.hint(uid);
    });
    const job = this.store.get(this.uid);
    if (job === undefined) throw new Error("The pod is gone.");
    const supervisor = new PodSupervisor(
      {
        runtime,
        store,
        clock,
        logger: silentLogger,
        listener: {
          status: (status) => {
            if (!state.isOver) this.statuses.push(status);
          },
          gone: () => undefined,
          event: () => undefined,
        },
        checkpoint: () => undefined,
        dispatcher: this.#dispatcher,
        steps: new Limit(8),
        pulls: new Limit(8),
        random: () => 0,
        refresh: (uid) => looks.hint(uid),
        tick: () => looks.tick,
        gone: () => {
          if (!state.isOver) this.isGone = true;
        },
      },
      job,
      this.#data,
      { isNew, plugin: "fake" },
    );
    this.#life = { supervisor, looks, ...state };
    // The flag that proxies look at is the one that `crash` sets.
    Object.defineProperty(this.#life, "isOver", {
      get: () => state.isOver,
      set: (value: boolean) => {
        state.isOver = value;
      },
    });
    supervisor.wake();
    void looks.all();
  }
}

/** `target` until the life is over; from then on every call stays unanswered, as for a process that is dead. */
function mortal<T extends object>(target: T, state: { isOver: boolean }): T {
  return new Proxy(target, {
    get: (_target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        if (state.isOver) return new Promise(() => undefined);
        const result: unknown = Reflect.apply(value, target, given);
        if (!(result instanceof Promise)) return result;
        return new Promise((resolve, reject) => {
          result.then(
            (answer) => state.isOver || resolve(answer),
            (error: unknown) => state.isOver || reject(error as Error),
          );
        });
      };
    },
  });
}
