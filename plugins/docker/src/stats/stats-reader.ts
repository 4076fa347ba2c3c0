import { Limit, type ObservedContainer, type RuntimeStats } from "@interlink/plugin-sdk";
import type { NetworkStats } from "@interlink/protocol";
import type { EngineClient } from "../engine/engine-client.ts";
import { isEngineError } from "../engine/engine-error.ts";
import { SharedWork } from "../images/shared-work.ts";
import {
  type CpuSample,
  cpuSample,
  cpuStats,
  type EngineStats,
  memoryStats,
  networkStats,
  sampleTime,
} from "./sample.ts";

export interface StatsSources {
  containers: (signal: AbortSignal) => Promise<ObservedContainer[]>;
  sandboxes: (signal: AbortSignal) => Promise<{ id: string; uid: string }[]>;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** An answer is given again for this long: several scrapers ask every few seconds. */
const FRESH_MS = 2_000;
/** Questions at a time: the engine reads control groups for each. */
const AT_ONCE = 8;
const ONE_MS = 10_000;

/** What the containers of this plugin use now: a question to the engine for each, several at a time. */
export class StatsReader {
  readonly #engine: EngineClient;
  readonly #sources: StatsSources;
  readonly #work = new SharedWork<RuntimeStats>();
  #last: { at: number; answer: RuntimeStats } | undefined;
  /** By container id, for the rate of CPU. */
  #before: ReadonlyMap<string, CpuSample> = new Map();

  constructor(engine: EngineClient, sources: StatsSources) {
    this.#engine = engine;
    this.#sources = sources;
  }

  async read(signal: AbortSignal): Promise<RuntimeStats> {
    const age = this.#last === undefined ? -1 : this.#sources.now() - this.#last.at;
    if (this.#last !== undefined && age >= 0 && age < FRESH_MS) return this.#last.answer;
    return this.#work.do("all", signal, (shared) => this.#measure(shared));
  }

  async #measure(signal: AbortSignal): Promise<RuntimeStats> {
    const [all, sandboxes] = await Promise.all([
      this.#sources.containers(signal),
      this.#sources.sandboxes(signal),
    ]);
    const running = all.filter(({ state }) => state === "running");
    const ids = [...running, ...sandboxes].map(({ id }) => id);
    const samples = await this.#samples(ids, signal);
    const network = new Map<string, NetworkStats>();
    for (const { id, uid } of sandboxes) {
      const found = samples.get(id);
      const time = found && sampleTime(found);
      const told = time === undefined ? undefined : networkStats(time, found ?? {});
      if (told !== undefined) network.set(uid, told);
    }
    const cpu = new Map<string, CpuSample>();
    const containers = running.flatMap((one) => {
      const found = samples.get(one.id);
      const told = found && this.#container(one, found, cpu);
      return told === undefined ? [] : [told];
    });
    const answer = { containers, network };
    this.#before = cpu;
    this.#last = { at: this.#sources.now(), answer };
    return answer;
  }

  #container(
    { id, uid, containerName, startedAt }: ObservedContainer,
    sample: EngineStats,
    samples: Map<string, CpuSample>,
  ): RuntimeStats["containers"][number] | undefined {
    const time = sampleTime(sample);
    const used = cpuSample(sample);
    if (time === undefined || startedAt === undefined) return undefined;
    if (used !== undefined) samples.set(id, used);
    const memory = memoryStats(time, sample);
    return {
      uid,
      containerName,
      startTime: startedAt,
      ...(used && { cpu: cpuStats(time, used, this.#before.get(id)) }),
      ...(memory && { memory }),
    };
  }

  async #samples(ids: readonly string[], signal: AbortSignal): Promise<Map<string, EngineStats>> {
    const samples = new Map<string, EngineStats>();
    const limit = new Limit(AT_ONCE);
    const measure = async (id: string): Promise<void> => {
      const sample = await limit.run(signal, () => this.#sample(id, signal));
      if (sample !== undefined) samples.set(id, sample);
    };
    await Promise.all(ids.map(measure));
    return samples;
  }

  /** `undefined`: it cannot be measured, or has ended meanwhile. */
  async #sample(id: string, signal: AbortSignal): Promise<EngineStats | undefined> {
    try {
      return await this.#engine.json<EngineStats>({
        method: "GET",
        path: `/containers/${id}/stats`,
        query: { stream: false, "one-shot": true },
        signal,
        deadlineMs: ONE_MS,
      });
    } catch (error) {
      if (!isEngineError(error) || error.code === "unreachable") throw error;
      return undefined;
    }
  }
}
