import { setTimeout as delay } from "node:timers/promises";
import { Limit, unlessAborted } from "@interlink/plugin-sdk";
import type { Logger } from "pino";
import type { PullBefore } from "../runtime/pull-before.ts";
import type { PodJob } from "./pod-job.ts";

export interface PullerOptions {
  /** Brings one image to the directory of images. */
  pull: (image: PullBefore, signal: AbortSignal) => Promise<void>;
  /** Lets the job begin, and writes that down. Repeatable. */
  release: (job: PodJob, signal: AbortSignal) => Promise<void>;
  /** The job's `pulling` has changed. */
  changed: (job: PodJob) => void;
  event: (job: PodJob, type: "Normal" | "Warning", reason: string, message: string) => void;
  logger: Logger;
  /** 0 to 1. Default `Math.random`. */
  random?: () => number;
  /** Milliseconds before the second try. Default 10 s, as a kubelet's. */
  firstRestMs?: number;
}

/** Pulls at the same time; they share one network and one disk. */
const CONCURRENT = 2;
/** As a kubelet's back-off (`MaxImagePullBackOff`), milliseconds. */
const LONGEST_REST_MS = 300_000;

/**
 * Pulls the images of jobs that are held in the queue, and releases each job when it has all of its own. One image is
 * pulled once at a time, for however many pods. What fails is tried again, ever more rarely, until the pod is deleted.
 */
export class Puller {
  readonly #options: PullerOptions;
  readonly #closing = new AbortController();
  readonly #limit = new Limit(CONCURRENT);
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #jobs = new Map<string, { stop: AbortController; done: Promise<void> }>();

  constructor(options: PullerOptions) {
    this.#options = options;
  }

  has(job: PodJob): boolean {
    return this.#jobs.has(job.uid);
  }

  /** Does nothing for a job that it has. */
  begin(job: PodJob, images: () => Promise<readonly PullBefore[]>): void {
    if (this.#closing.signal.aborted || this.has(job)) return;
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#closing.signal]);
    const done = this.#bring(job, images, signal).finally(() => {
      job.pulling = undefined;
      this.#jobs.delete(job.uid);
      this.#options.changed(job);
    });
    this.#jobs.set(job.uid, { stop, done });
  }

  /** For a pod that goes. A pull that others may wait for goes on. */
  stop(uid: string): void {
    this.#jobs.get(uid)?.stop.abort();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled([
      ...[...this.#jobs.values()].map(({ done }) => done),
      ...this.#underWay.values(),
    ]);
  }

  /** Never throws. */
  async #bring(
    job: PodJob,
    images: () => Promise<readonly PullBefore[]>,
    signal: AbortSignal,
  ): Promise<void> {
    const { release, event, logger, random = Math.random, firstRestMs = 10_000 } = this.#options;
    for (let failures = 0; !signal.aborted && !job.isOver; failures++) {
      let image: string | undefined;
      try {
        for (const one of await images()) {
          image = one.image;
          this.#tell(job, "ContainerCreating", `Pulling image "${image}" for the job.`);
          await this.#pullOnce(one, signal);
        }
        image = undefined;
        await release(job, signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const { message } = error as Error;
        logger.warn({ ...job.about, err: error, image }, "a job is still held");
        if (image === undefined) {
          this.#tell(job, "ContainerCreating", `The job is held in the queue: ${message}`);
        } else {
          event(job, "Warning", "Failed", `Failed to pull image "${image}": ${message}`);
          const again = `Back-off pulling image "${image}": ${message}`;
          this.#tell(job, "ImagePullBackOff", again);
        }
        const rest = Math.min(LONGEST_REST_MS, firstRestMs * 2 ** Math.min(failures, 10));
        await delay(rest * (0.75 + random() / 2), undefined, { signal }).catch(() => undefined);
      }
    }
  }

  #tell(job: PodJob, reason: string, message: string): void {
    job.pulling = { reason, message };
    this.#options.changed(job);
  }

  async #pullOnce(image: PullBefore, signal: AbortSignal): Promise<void> {
    const { pull } = this.#options;
    let running = this.#underWay.get(image.file);
    if (running === undefined) {
      const closing = this.#closing.signal;
      running = this.#limit
        .run(closing, () => pull(image, closing))
        .finally(() => this.#underWay.delete(image.file));
      this.#underWay.set(image.file, running);
    }
    await unlessAborted(running, signal);
  }
}
