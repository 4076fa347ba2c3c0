import { type PodCreateRequest, requestIdFor } from "@interlink/protocol";
import { contentHash, tokensHash } from "../resolve/content.ts";
import type { ContainerProblem, CreateRequestResult } from "../resolve/create-request.ts";
import { versionsOf } from "../resolve/object-watches.ts";
import type { PodObjects } from "../resolve/pod-objects.ts";
import { aboutError, aboutRecord } from "./about-record.ts";
import { hearAccepted } from "./job-knowledge.ts";
import type { PodContext } from "./pod-context.ts";
import { isEnding, type PodRecord } from "./pod-record.ts";
import { madeOf } from "./pod-updates.ts";
import { isFinalRefusal, mayHaveArrived, wordsOf } from "./refusal.ts";
import { retryLater } from "./retry.ts";
import { siteRequest, stamped } from "./site-request.ts";

/** Waiting reason of a pod that the site does not take yet. */
const REMOTE_CREATE_ERROR = "RemoteCreateError";
const WAKE_MS = 5;
const MAX_WAKE_MS = 1000;
/** Reason of a pod that the site refused for good. */
const REJECTED_BY_SITE = "RejectedBySite";
/** Reason of a pod that asks for what this node never has. */
const NOT_SUPPORTED = "NotSupported";

/**
 * Brings a pod to the site: what it names is read, then the site is asked to run it. A pod that cannot go yet waits
 * with a reason that a person understands; `wake` is called as soon as what it waits for may have changed.
 */
export class JobCreator {
  readonly #context: PodContext;

  constructor(context: PodContext) {
    this.#context = context;
  }

  /** One try. Never rejects, except when the signal fires. */
  async create(record: PodRecord, wake: () => void, signal: AbortSignal): Promise<void> {
    const { reader, site, events, timing, now } = this.#context;
    const { pod } = record;
    try {
      // What the pod's environment says depends on what the site fills in by itself.
      await site.introduced(signal);
    } catch (error) {
      if (signal.aborted) throw error;
      this.#notTaken(record, error);
      return;
    }
    let objects: PodObjects;
    try {
      objects = await reader.read(pod, record.freshFrom, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      this.#waits(record, "ContainerCreating", wordsOf(error));
      record.freshFrom = now();
      events.warning(pod, "FailedMount", `Unable to read what the pod names: ${wordsOf(error)}`);
      retryLater(record, "create", timing.objectRetry, this.#context);
      return;
    }
    // Reading takes time, and nothing is started for a pod that is to end by now.
    if (isEnding(record)) return;
    const result = siteRequest(this.#context, pod, objects);
    if (!("request" in result)) {
      this.#waitForObjects(record, result, objects, wake);
      return;
    }
    stopWatching(record);
    const { request } = result;
    const seen = versionsOf(objects);
    record.sent = {
      hash: contentHash(request),
      tokens: tokensHash(request),
      seen,
      made: madeOf(pod),
    };
    await this.#send(record, request, signal);
  }

  #waitForObjects(
    record: PodRecord,
    missing: Exclude<CreateRequestResult, { request: PodCreateRequest }>,
    objects: PodObjects,
    wake: () => void,
  ): void {
    const { events, watches, timing, now } = this.#context;
    const { pod } = record;
    const hopeless = [...missing.volumes, ...missing.containers].find(({ never }) => never);
    if (hopeless) {
      this.#refuse(record, NOT_SUPPORTED, hopeless.message);
      return;
    }
    record.freshFrom = now();
    for (const { message } of missing.volumes) events.warning(pod, "FailedMount", message);
    for (const { container, message } of missing.containers) {
      events.warning(pod, "Failed", `Error: ${message}`, container);
    }
    record.waiting = new Map(missing.containers.map(configError));
    stopWatching(record);
    retryLater(record, "create", timing.objectRetry, this.#context);
    record.unwatch = watches.watch(pod, versionsOf(objects), () => {
      record.freshFrom = now();
      const { failures = 1 } = record.retry ?? {};
      // Soon, but ever later: a pod that is woken and still misses something must not spin.
      const at = now() + Math.min(WAKE_MS * failures, MAX_WAKE_MS);
      record.retry = { step: "create", failures, at };
      wake();
    });
  }

  async #send(record: PodRecord, request: PodCreateRequest, signal: AbortSignal): Promise<void> {
    const { site, events, timing, checkpoint, logger, now } = this.#context;
    const { pod } = record;
    checkpoint("node.create.before");
    // From here on the job may exist, whatever becomes of the answer.
    record.job = "maybe";
    const requestId = requestIdFor("CreatePod");
    try {
      const answer = await site.create(stamped(request, this.#context), signal, requestId);
      checkpoint("node.create.after");
      hearAccepted(record, answer.PodJID, now());
      logger.info({ ...aboutRecord(record), requestId }, "the site accepted the pod");
    } catch (error) {
      if (signal.aborted) throw error;
      if (isFinalRefusal(error)) {
        record.job = "refused";
        record.verdict = {
          reason: REJECTED_BY_SITE,
          message: wordsOf(error),
          neverBegan: true,
        };
        events.warning(pod, "FailedCreate", `The site refuses the pod: ${wordsOf(error)}`);
        logger.warn({ ...aboutRecord(record), requestId, err: error }, "the site refuses the pod");
        return;
      }
      if (!site.capabilities && mayHaveArrived(error)) {
        record.unsureUntil = now() + timing.baseSettleMs;
      }
      this.#notTaken(record, error, requestId);
    }
  }

  /** It never runs here: nothing was asked of the site, and waiting would not help. */
  #refuse(record: PodRecord, reason: string, message: string): void {
    const { events, logger } = this.#context;
    const { pod } = record;
    record.job = "refused";
    record.verdict = { reason, message: `Pod was rejected: ${message}`, neverBegan: true };
    events.warning(pod, reason, message);
    logger.warn({ ...aboutRecord(record), reason, message }, "a pod was rejected");
  }

  #notTaken(record: PodRecord, error: unknown, requestId?: string): void {
    const { events, timing, logger } = this.#context;
    const { pod } = record;
    this.#waits(record, REMOTE_CREATE_ERROR, `${wordsOf(error)}; it is tried again`);
    events.warning(
      pod,
      "FailedCreate",
      `The site did not take the pod, it is tried again: ${wordsOf(error)}`,
    );
    logger.warn(
      { ...aboutRecord(record), ...(requestId && { requestId }), ...aboutError(error) },
      "the site did not take the pod",
    );
    retryLater(record, "create", timing.siteRetry, this.#context);
  }

  #waits(record: PodRecord, reason: string, message: string): void {
    record.waiting = new Map([["", { reason, message }]]);
  }
}

export function stopWatching(record: PodRecord): void {
  record.unwatch?.();
  delete record.unwatch;
}

function configError({ container, message }: ContainerProblem) {
  return [container, { reason: "CreateContainerConfigError", message }] as const;
}
