import { type Clock, Listeners, type ProviderListener } from "@interlink/plugin-sdk";
import type { Logger } from "pino";
import { rfc3339 } from "../slurm/slurm-time.ts";
import type { PodJob } from "./pod-job.ts";
import type { PodJobs } from "./pod-jobs.ts";

/** Tells whoever listens what happens to pods: each change and each event once. */
export class Announcer {
  readonly #jobs: Pick<PodJobs, "get">;
  readonly #clock: Clock;
  readonly #listeners: Listeners;

  /** `jobs`: those of this plugin by pod; of others nothing is told. */
  constructor(jobs: Pick<PodJobs, "get">, clock: Clock, logger: Logger) {
    this.#jobs = jobs;
    this.#clock = clock;
    this.#listeners = new Listeners(logger);
  }

  /** Gives what ends the subscription. */
  subscribe(listener: ProviderListener): () => void {
    return this.#listeners.add(listener);
  }

  /** Its status, if that has changed, and what its records tell that is new. */
  tell(job: PodJob): void {
    if (this.#jobs.get(job.uid) !== job || job.isRefused) return;
    const status = job.refresh(this.#clock.now());
    if (status !== undefined) this.#listeners.status(status);
    for (const { at, type, reason, message, container } of job.newEvents()) {
      this.event(job, type, reason, message, {
        at,
        ...(container !== undefined && { container }),
      });
    }
  }

  event(
    job: PodJob,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
    rest: { at?: string; container?: string } = {},
  ): void {
    const { name = "", namespace = "" } = job.pod.metadata ?? {};
    const at = rfc3339(this.#clock.now());
    this.#listeners.event({ UID: job.uid, name, namespace, type, reason, message, at, ...rest });
  }

  /** Nothing of the pod is left. */
  gone(job: PodJob): void {
    const { name = "", namespace = "" } = job.pod.metadata ?? {};
    this.#listeners.gone({ UID: job.uid, name, namespace });
  }
}
