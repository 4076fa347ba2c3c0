import { isKubeError, paths } from "@interlink/kube";
import { requestIdFor } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { aboutError, aboutRecord } from "./about-record.ts";
import type { PodContext } from "./pod-context.ts";
import { graceSeconds, type PodRecord } from "./pod-record.ts";
import { wordsOf } from "./refusal.ts";
import { retryLater } from "./retry.ts";
import type { SiteQuestions } from "./site-questions.ts";

/** After so many refused deletes in a row a site that says "unknown" is believed without having accepted one. */
const TRIES_BEFORE_UNKNOWN_COUNTS = 3;

/** Takes a pod from the site, and then its object from Kubernetes. Single tries; nothing here rejects but by signal. */
export class JobDeleter {
  readonly #context: PodContext;
  readonly #questions: SiteQuestions;

  constructor(context: PodContext, questions: SiteQuestions) {
    this.#context = context;
    this.#questions = questions;
  }

  /** Asks the site to stop the job, or to stop it sooner. */
  async deleteJob(record: PodRecord, signal: AbortSignal): Promise<void> {
    const { site, checkpoint, events, logger, now, timing } = this.#context;
    const { pod } = record;
    const grace = graceSeconds(pod);
    checkpoint("node.delete.before");
    const requestId = requestIdFor("DeletePod");
    try {
      await site.delete(withGrace(pod, grace), signal, requestId);
      checkpoint("node.delete.after");
      record.accepted = { at: now(), grace };
      // The site usually tells by itself that the job is gone; it is asked only if that does not come.
      retryLater(record, "confirm-gone", timing.confirm, this.#context);
      logger.info({ ...aboutRecord(record), requestId, grace }, "the site accepted the delete");
    } catch (error) {
      if (signal.aborted) throw error;
      retryLater(record, "delete-job", timing.siteRetry, this.#context);
      logger.warn(
        { ...aboutRecord(record), requestId, err: error },
        "the site did not take the delete",
      );
      const message = `The site did not take the delete, it is tried again: ${wordsOf(error)}`;
      if (!record.absent) events.warning(pod, "FailedKillPod", message);
      if ((record.retry?.failures ?? 0) >= TRIES_BEFORE_UNKNOWN_COUNTS)
        await this.#ifUnknown(record, signal);
    }
  }

  /** Asks whether an accepted delete is done. `heard` is told what the site says about the job. */
  async confirmGone(
    record: PodRecord,
    heard: (record: PodRecord, answer: Awaited<ReturnType<SiteQuestions["ask"]>>) => void,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      heard(record, await this.#questions.ask(record.pod));
    } catch (error) {
      if (signal.aborted) throw error;
      this.#context.logger.debug(
        { ...aboutRecord(record), ...aboutError(error) },
        "the site does not answer",
      );
    }
    retryLater(record, "confirm-gone", this.#context.timing.confirm, this.#context);
  }

  /**
   * Some plugins of the base protocol fail for ever on the delete of a pod that they do not know
   * (interlink-slurm-plugin.md 1.5). Their own word that they do not know it, after several tries, ends that.
   */
  async #ifUnknown(record: PodRecord, signal: AbortSignal): Promise<void> {
    if (this.#context.site.capabilities !== undefined) return;
    try {
      const { status } = await this.#questions.ask(record.pod);
      if (status === undefined) record.job = "over";
    } catch (error) {
      if (signal.aborted) throw error;
    }
  }

  /** Removes the object for good. It may survive by finalizers; then others take care of it. */
  async deleteObject(record: PodRecord, signal: AbortSignal): Promise<void> {
    const { client, checkpoint, logger, timing } = this.#context;
    const { name = "", namespace = "default" } = record.pod.metadata ?? {};
    checkpoint("node.object-delete.before");
    try {
      await client.delete(
        paths.pods.named(namespace, name),
        {
          kind: "DeleteOptions",
          apiVersion: "v1",
          gracePeriodSeconds: 0,
          preconditions: { uid: record.uid },
        },
        { signal },
      );
    } catch (error) {
      if (signal.aborted) throw error;
      // Gone already, or the name belongs to another pod: the informer tells.
      if (!isKubeError(error, "not-found", "conflict")) {
        logger.warn({ ...aboutRecord(record), err: error }, "the pod object was not deleted");
      }
    }
    retryLater(record, "delete-object", timing.siteRetry, this.#context);
  }
}

function withGrace(pod: Pod, grace: number): Pod {
  return { ...pod, metadata: { ...pod.metadata, deletionGracePeriodSeconds: grace } };
}
