import { Limit, readBatchUsage, requestBatchUsage } from "@interlink/plugin-sdk";
import { allRemoteStatuses, type PodStats, type StatsAnswer } from "@interlink/protocol";
import type { Logger } from "pino";
import type { JobFiles } from "./job-files.ts";
import type { PodJob } from "./pod-job.ts";
import { containerStats, nextSample, podStats, type UsageSample } from "./usage-rates.ts";

/** Jobs measure within ten seconds of being asked, and file systems lag; older than this says nothing about now. */
const OLDEST_MS = 120_000;
const CONCURRENT = 16;

/**
 * What pods use, as the scripts of their jobs measure it while somebody asks: no call of Slurm's, whose own numbers are of
 * whole steps. The first answer about a job comes with the second question.
 */
export class Usage {
  readonly #files: JobFiles;
  readonly #logger: Logger;
  readonly #limit = new Limit(CONCURRENT);
  readonly #samples = new WeakMap<PodJob, Map<string, UsageSample>>();

  constructor(files: JobFiles, logger: Logger) {
    this.#files = files;
    this.#logger = logger;
  }

  /** `now`: milliseconds since the epoch. */
  async answer(jobs: readonly PodJob[], now: number, signal: AbortSignal): Promise<StatsAnswer> {
    const measured = await Promise.all(
      jobs.map((job) => this.#limit.run(signal, () => this.#pod(job, now))),
    );
    return { pods: measured.filter((pod) => pod !== undefined) };
  }

  async #pod(job: PodJob, now: number): Promise<PodStats | undefined> {
    const { name = "", namespace = "" } = job.pod.metadata ?? {};
    const all = job.status === undefined ? [] : allRemoteStatuses(job.status);
    const running = new Map(
      all.flatMap((one) => {
        const startedAt = one.state?.running?.startedAt;
        return startedAt === undefined ? [] : [[one.name, startedAt] as const];
      }),
    );
    if (running.size === 0) return undefined;
    try {
      const directory = this.#files.directory(job.uid);
      const usage = await readBatchUsage(directory);
      await requestBatchUsage(directory);
      const samples = this.#samples.get(job) ?? new Map<string, UsageSample>();
      this.#samples.set(job, samples);
      const containers = usage.flatMap((one) => {
        const startTime = running.get(one.container);
        if (startTime === undefined || now - one.at > OLDEST_MS) return [];
        const sample = nextSample(samples.get(one.container), one);
        samples.set(one.container, sample);
        return [containerStats(one, sample, startTime)];
      });
      const startTime = job.records?.startedAt ?? [...running.values()].toSorted()[0] ?? "";
      if (containers.length === 0) return undefined;
      return podStats({ name, namespace, uid: job.uid }, startTime, containers);
    } catch (error) {
      this.#logger.debug({ ...job.about, err: error }, "a job's measurements could not be read");
      return undefined;
    }
  }
}
