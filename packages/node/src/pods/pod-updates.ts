// What the site has of a running pod is kept up with what the pod names (kubelet-contract.md 4.2). One pod's way:
//
//   not followed ──the job is there, the site takes updates──▶ followed
//     followed ──an object, a label, an annotation or an image changed, an ephemeral container came, or a token is
//                due──▶ dirty
//     dirty ──read anew: the same content──▶ followed (nothing is sent)
//     dirty ──read anew: another content──▶ sent ──▶ followed
//     dirty ──something is missing, or the site does not take it──▶ dirty, tried again with back-off
//   any ──the pod ends or goes──▶ not followed, watches and tokens let go
//
// A node that was started anew does not know what was sent; the site tells it (`extension.content`).
import { type WorkAgain, WorkQueue } from "@interlink/kube";
import { allContainers, offers, type PodCreateRequest, requestIdFor } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { contentHash, readStamp, tokensHash } from "../resolve/content.ts";
import { type SeenVersions, versionsOf } from "../resolve/object-watches.ts";
import type { PodObjects } from "../resolve/pod-objects.ts";
import { isTerminalPhase } from "../status/phase.ts";
import { aboutError, aboutRecord, aboutUid } from "./about-record.ts";
import type { PodContext } from "./pod-context.ts";
import { allEnded, isEnding, type PodRecord } from "./pod-record.ts";
import { siteRequest, stamped } from "./site-request.ts";

/** Updates under way at once, over all pods. */
const UPDATES_AT_ONCE = 16;
/** Wakings that changed nothing make the next one wait longer, until there was quiet for so long. */
const QUIET_MS = 60_000;
const MOST_DOUBLINGS = 7;

interface Followed {
  record: PodRecord;
  /** The object that was looked at last. */
  pod: Pod;
  /** Its files or environments show its labels or annotations. */
  showsItself: boolean;
  dirty: boolean;
  /** What the pod names must not be read older than this. */
  freshFrom: number;
  /** Nothing is done before then: changes come in groups. */
  notBefore: number;
  /** Wakings in a row that changed nothing. */
  fruitless: number;
  wokenAt: number;
  unwatch?: () => void;
}

/** Tells the site of changes of what running pods name: files of volumes, environments, tokens. */
export class PodUpdates implements AsyncDisposable {
  readonly #context: PodContext;
  readonly #followed = new Map<string, Followed>();
  readonly #queue: WorkQueue;

  constructor(context: PodContext) {
    const { logger, timing, random } = context;
    this.#context = context;
    this.#queue = new WorkQueue({
      concurrency: UPDATES_AT_ONCE,
      work: (uid, signal) => this.#work(uid, signal),
      failed: (uid, err, failures, waitMs) =>
        logger.warn(
          {
            ...aboutUid(uid, this.#followed.get(uid)?.record),
            ...aboutError(err),
            failures,
            waitMs,
          },
          "the site was not told what changed of a pod",
        ),
      backoff: timing.updateRetry,
      random,
    });
  }

  /** Something about the pod may have changed. Cheap: called for every piece of news. */
  look(record: PodRecord): void {
    const followed = this.#followed.get(record.uid);
    if (!this.#isToBeFollowed(record)) {
      if (followed) this.forget(record.uid);
    } else if (!followed) {
      this.#begin(record);
    } else if (followed.pod !== record.pod) {
      const changed =
        madeOf(followed.pod) !== madeOf(record.pod) ||
        (followed.showsItself && shown(followed.pod) !== shown(record.pod));
      followed.pod = record.pod;
      if (changed) this.#changed(followed);
    }
  }

  /** The pod ends or is gone: no more updates, and its tokens are dropped. */
  forget(uid: string): void {
    this.#context.reader.forget(uid);
    this.#followed.get(uid)?.unwatch?.();
    this.#followed.delete(uid);
    this.#queue.forget(uid);
  }

  async close(): Promise<void> {
    for (const { unwatch } of this.#followed.values()) unwatch?.();
    this.#followed.clear();
    await this.#queue.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #isToBeFollowed(record: PodRecord): boolean {
    const { job, remote, verdict, pod } = record;
    if (job !== "there" || !remote || verdict || isEnding(record)) return false;
    if (isTerminalPhase(pod.status?.phase) || allEnded(record)) return false;
    return offers(this.#context.site.capabilities, "pod-updates");
  }

  #begin(record: PodRecord): void {
    const { uid, pod, remote } = record;
    const now = this.#context.now();
    // What the site has is its word: of several creates an earlier one may have arrived, or one of an earlier life.
    if (readStamp(remote?.extension?.content)?.hash !== record.sent?.hash) delete record.sent;
    const { sent } = record;
    const followed: Followed = {
      record,
      pod,
      showsItself: podShowsItself(pod),
      // The pod may have been edited while its create was under way.
      dirty: sent?.made !== madeOf(pod),
      freshFrom: now,
      notBefore: now,
      fruitless: 0,
      wokenAt: now,
    };
    this.#followed.set(uid, followed);
    if (sent) this.#watch(followed, sent.seen);
    this.#queue.add(uid, "background");
  }

  #changed(followed: Followed): void {
    const { timing, now, random } = this.#context;
    const { uid } = followed.record;
    const at = now();
    if (at - followed.wokenAt > QUIET_MS) followed.fruitless = 0;
    followed.wokenAt = at;
    followed.freshFrom = at;
    const settle = timing.updateSettleMs * 2 ** Math.min(followed.fruitless, MOST_DOUBLINGS);
    // The first of a group of changes sets the time; many pods of one object do not all come at once.
    if (!followed.dirty) followed.notBefore = at + settle * (1 + random());
    followed.dirty = true;
    this.#queue.addAfter(uid, followed.notBefore - at);
  }

  #watch(followed: Followed, seen: SeenVersions): void {
    const before = followed.unwatch;
    followed.unwatch = this.#context.watches.watch(followed.pod, seen, () =>
      this.#changed(followed),
    );
    // Only now, so that a watch that both name goes on.
    before?.();
  }

  async #work(uid: string, signal: AbortSignal): Promise<WorkAgain | void> {
    const followed = this.#followed.get(uid);
    if (!followed) return undefined;
    const { now } = this.#context;
    const early = followed.notBefore - now();
    if (followed.dirty && early > 0) return { againInMs: early };
    if (followed.dirty || this.#tokensDueInMs(followed.record) === 0) {
      followed.dirty = false;
      try {
        await this.#update(followed, signal);
      } catch (error) {
        followed.dirty = true;
        throw error;
      }
    }
    if (!this.#followed.has(uid)) return undefined;
    const dueInMs = this.#tokensDueInMs(followed.record);
    return dueInMs === undefined ? undefined : { againInMs: dueInMs };
  }

  async #update(followed: Followed, signal: AbortSignal): Promise<void> {
    const { reader, site, logger } = this.#context;
    const { record } = followed;
    const pod = followed.pod;
    const objects = await reader.readWithoutTokens(pod, followed.freshFrom, signal);
    const seen = versionsOf(objects);
    if (!this.#isToBeFollowed(record)) return;
    this.#watch(followed, seen);
    const hash = contentHash(this.#request(pod, objects));
    const tokensAreDue = this.#tokensDueInMs(record) === 0;
    if (hash === this.#sentHash(record) && !tokensAreDue) {
      followed.fruitless++;
      return;
    }
    const tokens = await reader.tokens(pod, signal);
    const request = this.#request(pod, { ...objects, tokens });
    // The pod may have begun to end while we read.
    if (!this.#isToBeFollowed(record)) return;
    const sent = { hash, tokens: tokensHash(request), made: madeOf(pod), seen };
    // A renewal that failed leaves the old token.
    if (hash === record.sent?.hash && sent.tokens === record.sent.tokens) return;
    const requestId = requestIdFor("UpdatePod");
    await site.update(stamped(request, this.#context), signal, requestId);
    record.sent = sent;
    followed.fruitless = 0;
    logger.info({ ...aboutRecord(record), requestId }, "the site has what changed of the pod");
  }

  /** Throws when something is missing: the site keeps what it has, and it is tried again. */
  #request(pod: Pod, objects: PodObjects): PodCreateRequest {
    const result = siteRequest(this.#context, pod, objects, { keepUnresolved: true });
    if ("request" in result) return result.request;
    const { events } = this.#context;
    for (const { message } of result.volumes) events.warning(pod, "FailedMount", message);
    const [problem] = [...result.volumes, ...result.containers];
    throw new Error(problem?.message ?? "something is missing");
  }

  #sentHash({ sent, remote }: PodRecord): string | undefined {
    return sent?.hash ?? readStamp(remote?.extension?.content)?.hash;
  }

  /** 0: now. For tokens that an earlier life has sent, its own word counts. */
  #tokensDueInMs(record: PodRecord): number | undefined {
    const { reader, wall } = this.#context;
    if (record.sent) return reader.tokensDueInMs(record.uid);
    const renewAt = readStamp(record.remote?.extension?.content)?.renewAt;
    return renewAt === undefined ? undefined : Math.max(0, renewAt - wall().getTime());
  }
}

/** Whether files or environments of the pod show its labels or annotations. */
function podShowsItself({ spec }: Pod): boolean {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const env = containers.flatMap((one) => one.env ?? []).map(({ valueFrom }) => valueFrom);
  const files = (spec?.volumes ?? []).flatMap(({ downwardAPI, projected }) => [
    ...(downwardAPI?.items ?? []),
    ...(projected?.sources ?? []).flatMap((one) => one.downwardAPI?.items ?? []),
  ]);
  return [...env, ...files].some((one) =>
    /^metadata\.(?:labels|annotations)/.test(one?.fieldRef?.fieldPath ?? ""),
  );
}

function shown({ metadata }: Pod): string {
  return JSON.stringify([metadata?.labels, metadata?.annotations]);
}

/**
 * What of a spec may be edited and concerns the site: a container whose image was edited is restarted with the new one,
 * an ephemeral container that is added is started.
 */
export function madeOf(pod: Pod): string {
  return JSON.stringify(allContainers(pod).map(({ name, image }) => [name, image]));
}
