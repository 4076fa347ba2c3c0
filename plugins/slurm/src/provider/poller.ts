import type { Clock } from "@interlink/plugin-sdk";
import type { Logger } from "pino";
import type { SlurmClient } from "../commands/slurm-client.ts";
import type { Deleter } from "./deleter.ts";
import { Loop } from "./loop.ts";
import type { Observer } from "./observer.ts";
import type { PodJobs } from "./pod-jobs.ts";

export interface PollerOptions {
  jobs: Pick<PodJobs, "list">;
  client: SlurmClient;
  clock: Clock;
  logger: Logger;
  ownUid: number;
  /** Milliseconds between two questions to Slurm. */
  pollMs: number;
  /** Milliseconds between looks at the records of jobs. */
  recordsMs: number;
  /** Asked when a round begins: there only after the start. */
  parts: () => { observer: Observer; deleter: Deleter };
}

/** Right after a submission or a delete, Slurm is asked this often (milliseconds), for a moment. */
const LIVELY_PAUSE_MS = 1500;
const LIVELY_MS = 20_000;
const LONGEST_PAUSE_MS = 60_000;

/** When Slurm is asked, and when the records of jobs are read: two loops, and the rounds that they make. */
export class Poller {
  readonly #options: PollerOptions;
  readonly #closing = new AbortController();
  readonly #polls: Loop;
  readonly #looks: Loop;
  #livelyUntil = 0;
  #failures = 0;

  constructor(options: PollerOptions) {
    this.#options = options;
    const { clock, recordsMs } = options;
    this.#polls = new Loop(
      clock,
      () => this.#pauseMs(),
      () => this.poll(),
      // Hundreds of jobs that come or end at the same time are no reason to ask more often than that.
      Math.min(LIVELY_PAUSE_MS, 1.5 * recordsMs),
    );
    this.#looks = new Loop(
      clock,
      () => recordsMs,
      () => this.#look(),
    );
  }

  start(): void {
    this.#polls.start();
    this.#looks.start();
  }

  /** Asks Slurm soon, and often for a moment: something is about to change. */
  wake(): void {
    this.#livelyUntil = this.#options.clock.now() + LIVELY_MS;
    this.#polls.wake();
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("The plugin is being stopped."));
    await this.#polls.close();
    await this.#looks.close();
  }

  #pauseMs(): number {
    const { pollMs, clock } = this.#options;
    if (this.#failures > 0) {
      return Math.min(LONGEST_PAUSE_MS, pollMs * 2 ** Math.min(this.#failures, 6));
    }
    return clock.now() < this.#livelyUntil ? Math.min(pollMs, LIVELY_PAUSE_MS) : pollMs;
  }

  /** One question to Slurm for all jobs; none when there is nothing to ask. */
  async poll(): Promise<void> {
    const { client, clock, logger, ownUid } = this.#options;
    const { observer, deleter } = this.#options.parts();
    const jobs = this.#options.jobs.list();
    const open = jobs.filter((job) => !job.isRefused && (!job.isOver || job.deleting));
    if (open.length > 0) {
      const askedAt = clock.now();
      const users = new Set([ownUid, ...open.flatMap(({ record }) => record.user?.uid ?? [])]);
      try {
        const queue = await client.queue([...users].map(String), this.#closing.signal);
        this.#failures = 0;
        await observer.queue(jobs, queue, askedAt, clock.now());
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        this.#failures++;
        logger.warn(
          { err: error },
          "Slurm was asked for its jobs and did not answer; what is known stays",
        );
      }
    }
    for (const job of jobs) if (job.deleting) await deleter.advance(job);
  }

  /** The records of all jobs that may have changed. */
  async #look(): Promise<void> {
    const { jobs, clock, logger } = this.#options;
    const { observer, deleter } = this.#options.parts();
    const all = jobs.list();
    const running = new Set(all.filter(({ records }) => records?.finishedAt === undefined));
    const changed = await observer.look(all, clock.now()).catch((error: unknown) => {
      logger.warn({ err: error }, "the records of jobs could not be looked at");
      return [];
    });
    if (changed.some((job) => running.has(job) && job.records?.finishedAt !== undefined)) {
      this.wake();
    }
    await Promise.all(all.flatMap((job) => (job.deleting ? deleter.advance(job) : [])));
  }
}
