import { setMaxListeners } from "node:events";
import {
  isKubeError,
  paths,
  podStatusPatch,
  sameJson,
  subresource,
  WorkQueue,
} from "@interlink/kube";
import type { Pod, PodStatus } from "kubernetes-types/core/v1.js";
import { isTerminalPhase } from "../status/phase.ts";
import { podStatus } from "../status/pod-status.ts";
import { aboutRecord, aboutUid } from "./about-record.ts";
import { missingJobAnnotations } from "./job-annotations.ts";
import type { PodContext } from "./pod-context.ts";
import { factsOf, isEnding, type PodRecord, statusContext } from "./pod-record.ts";

const WRITES_AT_ONCE = 64;

/** Who is told of what is written. */
export interface StatusWriterListener {
  /** The pod's end is about to be written: others may act on it before the API server has answered. */
  ending(record: PodRecord): void;
  /** The object in the API says what was wanted. */
  written(record: PodRecord): void;
}

/**
 * Brings pod statuses into the Kubernetes API: one writer per UID, always the newest status, nothing when nothing has
 * changed. The patch carries the UID, so a successor with the same name is never written to.
 */
export class StatusWriter {
  readonly #context: PodContext;
  readonly #find: (uid: string) => PodRecord | undefined;
  readonly #hears: StatusWriterListener;
  readonly #queue: WorkQueue;
  readonly #stop = new AbortController();

  constructor(
    context: PodContext,
    find: (uid: string) => PodRecord | undefined,
    hears: StatusWriterListener,
  ) {
    this.#context = context;
    // Every write that is under way listens to it.
    setMaxListeners(0, this.#stop.signal);
    this.#find = find;
    this.#hears = hears;
    this.#queue = new WorkQueue({
      concurrency: WRITES_AT_ONCE,
      work: (uid) => this.#write(uid, this.#stop.signal),
      failed: (uid, err, failures, waitMs) => {
        // An outage fails every pod again and again; each says so once.
        const level = failures === 1 ? "warn" : "debug";
        context.logger[level](
          { ...aboutUid(uid, find(uid)), err, failures, waitMs },
          "a pod status was not written",
        );
      },
      // Short even after a long outage: what has happened meanwhile is to be seen as soon as it is over.
      backoff: { firstMs: 100, capMs: 5000, jitter: 0.5 },
      random: context.random,
    });
  }

  /** The pod's status may have changed. */
  touch(uid: string): void {
    this.#queue.add(uid);
  }

  forget(uid: string): void {
    this.#queue.forget(uid);
  }

  close(): Promise<void> {
    this.#stop.abort();
    return this.#queue.close();
  }

  async #write(uid: string, signal: AbortSignal): Promise<void> {
    const { client, nodeAddress, wall, checkpoint, site } = this.#context;
    const record = this.#find(uid);
    if (!record || record.absent) return;
    // Not taken yet: the start time says that it was.
    if (record.unplaced && !isEnding(record)) return;
    const facts = factsOf(record, wall().getTime());
    const wanted = podStatus(
      record.pod,
      record.remote,
      statusContext(record, facts, nodeAddress, site),
      wall(),
    );
    const patch = this.#patch(record, record.pod, wanted);
    if (!patch) return;
    const text = JSON.stringify(patch);
    if (text === record.uselessPatch) return;
    if (isTerminalPhase(wanted.phase)) this.#hears.ending(record);
    checkpoint("node.status.before-patch");
    const { name = "", namespace = "default" } = record.pod.metadata ?? {};
    try {
      const answer = await client.patch<Pod>(
        subresource(paths.pods.named(namespace, name), "status"),
        "strategic-merge",
        patch,
        { signal },
      );
      // An old server accepts a field that it does not know, and drops it: sending it again would change nothing.
      const dropped = this.#patch(record, answer, wanted);
      if (dropped) record.uselessPatch = JSON.stringify(dropped);
      else delete record.uselessPatch;
      takeNewer(record, answer);
    } catch (error) {
      if (!this.#isSettled(record, error, text)) throw error;
      return;
    }
    this.#hears.written(record);
  }

  /** What `pod` lacks. API servers take annotations along with a status, and old nodes write them so. */
  #patch(record: PodRecord, pod: Pod, wanted: PodStatus): object | undefined {
    const { uid, jobId } = record;
    const annotations = this.#context.annotateJobs ? missingJobAnnotations(pod, jobId) : undefined;
    const patch = podStatusPatch(uid, pod.status, wanted);
    return annotations ? { ...patch, metadata: { uid, annotations } } : patch;
  }

  /** Errors that a repetition does not mend. The informer tells what has become of the pod. */
  #isSettled(record: PodRecord, error: unknown, patch: string): boolean {
    if (isKubeError(error, "not-found", "conflict")) return true;
    if (!isKubeError(error, "invalid")) return false;
    record.uselessPatch = patch;
    this.#context.logger.error(
      { ...aboutRecord(record), err: error },
      "the API server refuses a pod status; the pod keeps its old one until something changes",
    );
    return true;
  }
}

/** Takes an object over if it is not older than the one that is held. Says whether anything but its version changed. */
export function takeNewer(record: PodRecord, pod: Pod): boolean {
  if (pod.metadata?.uid !== record.uid) return false;
  const held = record.pod;
  if (versionOf(pod) < versionOf(held)) return false;
  // Larger than the rest of many pods. The informer drops them too; answers to patches carry them.
  delete pod.metadata?.managedFields;
  record.pod = pod;
  const { resourceVersion: _a, ...before } = held.metadata ?? {};
  const { resourceVersion: _b, ...after } = pod.metadata ?? {};
  return !(
    sameJson(before, after) &&
    sameJson(held.spec, pod.spec) &&
    sameJson(held.status, pod.status)
  );
}

/** Resource versions of one resource grow; an API server with other versions than numbers gives 0 for all. */
function versionOf(pod: Pod): bigint {
  const version = pod.metadata?.resourceVersion ?? "";
  return /^\d+$/.test(version) ? BigInt(version) : 0n;
}
