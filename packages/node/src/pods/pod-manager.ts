import { setMaxListeners } from "node:events";
import { type WorkAgain, WorkQueue } from "@interlink/kube";
import type { RemotePodEvent, RemotePodStatus } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { RemoteListener, SyncedAnswer } from "../remote/remote-site.ts";
import { isTerminalPhase } from "../status/phase.ts";
import { aboutError, aboutRecord, aboutUid } from "./about-record.ts";
import { isMirrorPod } from "./admission/admit.ts";
import { tellEdits } from "./edits.ts";
import { JobCreator, stopWatching } from "./job-creator.ts";
import { JobDeleter } from "./job-deleter.ts";
import { hear, hearGone, hearUnknown } from "./job-knowledge.ts";
import { nextStep, type Step } from "./next-step.ts";
import { Orphans } from "./orphans.ts";
import { Places } from "./places.ts";
import type { PodContext } from "./pod-context.ts";
import { deadlineInMs, factsOf, newRecord, type PodRecord } from "./pod-record.ts";
import { PodUpdates } from "./pod-updates.ts";
import { wordsOf } from "./refusal.ts";
import { retryLater } from "./retry.ts";
import { type SiteAnswer, SiteQuestions } from "./site-questions.ts";
import { StatusWriter, takeNewer } from "./status-writer.ts";

/** Pods whose next step is being made at once. High, for a step may wait a long time for the site. */
const STEPS_AT_ONCE = 512;
/** More steps without a pause than any pod needs: a defect, which must not spin. */
const STEPS_IN_A_ROW = 16;

/** Reason of a pod whose job the site does not know any more. */
const JOB_LOST = "JobLost";

/**
 * Every pod of this node, by UID: what Kubernetes wants, what the site says, and what is done about the difference.
 *
 * News (from the informer and from the site) only change the pod's record and wake it. The steps of one pod are made
 * one after another by a queue; its status is written by another, so that a site that does not answer holds up no
 * status. What is done next is decided by `nextStep`.
 */
export class PodManager implements AsyncDisposable {
  readonly #context: PodContext;
  readonly #records = new Map<string, PodRecord>();
  readonly #stop = new AbortController();
  readonly #questions: SiteQuestions;
  readonly #creator: JobCreator;
  readonly #deleter: JobDeleter;
  readonly #orphans: Orphans;
  readonly #places: Places;
  readonly #updates: PodUpdates;
  readonly #steps: WorkQueue;
  readonly #statuses: StatusWriter;
  #following: Promise<void> | undefined;
  #begun = false;

  constructor(context: PodContext) {
    this.#context = context;
    setMaxListeners(0, this.#stop.signal);
    this.#questions = new SiteQuestions(context.site, this.#stop.signal);
    this.#creator = new JobCreator(context);
    this.#deleter = new JobDeleter(context, this.#questions);
    this.#places = new Places(context);
    this.#updates = new PodUpdates(context);
    this.#orphans = new Orphans(context, (pod, status) => this.#takeOrphan(pod, status));
    this.#statuses = new StatusWriter(context, (uid) => this.#records.get(uid), {
      // A scheduler that sees the end of a pod may send the next one at once.
      ending: ({ uid }) => this.#places.forget(uid),
      written: ({ uid }) => this.#steps.add(uid),
    });
    this.#steps = new WorkQueue({
      concurrency: STEPS_AT_ONCE,
      // One signal for all: every call that is under way listens to it.
      work: (uid) => this.#work(uid, this.#stop.signal),
      failed: (uid, err, failures, waitMs) =>
        context.logger.error(
          { ...aboutUid(uid, this.#records.get(uid)), ...aboutError(err), failures, waitMs },
          "a step of a pod broke",
        ),
      random: context.random,
    });
  }

  /** All pods that exist have been told: take over what runs already, then follow the site. To be called once. */
  begin(connection: RemoteListener["connection"] = () => undefined): void {
    this.#begun = true;
    this.#orphans.podsListed();
    this.#places.begin(this.#records.values());
    for (const uid of this.#records.keys()) this.#wake(uid);
    this.#following = this.#context.site.follow(
      () => this.#followed(),
      this.#listener(connection),
      this.#stop.signal,
    );
  }

  /** The pod was added or changed in Kubernetes. */
  seen(pod: Pod): void {
    const uid = pod.metadata?.uid;
    if (uid === undefined || isMirrorPod(pod)) return;
    const record = this.#records.get(uid);
    if (!record) this.#add(pod);
    else if (record.absent || !takeNewer(record, pod)) return;
    this.#wake(uid);
  }

  /** The pod object is gone, whether we deleted it or somebody by force. */
  removed(pod: Pod): void {
    const record = this.#records.get(pod.metadata?.uid ?? "");
    if (!record || record.absent) return;
    takeNewer(record, pod);
    record.absent = true;
    stopWatching(record);
    this.#wake(record.uid);
  }

  /** The site was away and answers again: whatever waits for its next try at it is tried now. */
  siteAnswers(): void {
    const { now } = this.#context;
    for (const record of this.#records.values()) {
      // Pods that wait for objects have their own wake-up.
      if (!record.retry || record.unwatch || record.retry.step === "delete-object") continue;
      record.retry = { ...record.retry, at: now() };
      this.#wake(record.uid);
    }
  }

  /** The id of the pod's job at the site, once it is known. */
  jobOf(uid: string): string | undefined {
    return this.#records.get(uid)?.jobId;
  }

  /** The newest objects of this node's pods. */
  pods(): Pod[] {
    return [...this.#records.values()].filter(({ absent }) => !absent).map(({ pod }) => pod);
  }

  /** For metrics: how many pods there are by what is known of their job. */
  counts(): Record<PodRecord["job"], number> {
    const counts = { none: 0, maybe: 0, there: 0, refused: 0, over: 0 };
    for (const { job } of this.#records.values()) counts[job]++;
    return counts;
  }

  /** Stops; no pod and no job is touched. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#orphans.close();
    for (const record of this.#records.values()) stopWatching(record);
    await Promise.all([
      this.#steps.close(),
      this.#statuses.close(),
      this.#updates.close(),
      this.#following,
    ]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #add(pod: Pod): void {
    const record = newRecord(pod, !this.#begun, this.#context.now());
    this.#records.set(record.uid, record);
    const early = this.#orphans.clear(record.uid);
    if (early) hear(record, early, this.#context.now());
    if (this.#begun) this.#places.arrived(record);
  }

  #takeOrphan(pod: Pod, status: RemotePodStatus): void {
    if (this.#records.has(status.UID)) return;
    const record = newRecord(pod, false, this.#context.now());
    this.#records.set(record.uid, record);
    record.absent = true;
    hear(record, status, this.#context.now());
    this.#context.logger.warn(
      aboutRecord(record),
      "the site runs a job of this node that has no pod; it is deleted",
    );
    this.#wake(record.uid);
  }

  #wake(uid: string): void {
    if (!this.#begun) return;
    const record = this.#records.get(uid);
    if (record) this.#places.changed(record);
    if (record) this.#updates.look(record);
    this.#statuses.touch(uid);
    const ending = record?.absent || record?.pod.metadata?.deletionTimestamp !== undefined;
    this.#steps.add(uid, ending ? "urgent" : "normal");
  }

  /** Makes steps until the pod rests. */
  async #work(uid: string, signal: AbortSignal): Promise<WorkAgain | void> {
    const { now, wall } = this.#context;
    for (let count = 0; count < STEPS_IN_A_ROW; count++) {
      const record = this.#records.get(uid);
      if (!record || signal.aborted) return undefined;
      this.#checkDeadline(record);
      tellEdits(record, this.#context);
      const step = nextStep(factsOf(record, wall().getTime()), now());
      if (step.do === "rest") return step.inMs === undefined ? undefined : { againInMs: step.inMs };
      await this.#do(step, record, signal);
      this.#statuses.touch(uid);
    }
    throw new Error(`more than ${STEPS_IN_A_ROW} steps in a row`);
  }

  async #do(
    step: Exclude<Step, { do: "rest" }>,
    record: PodRecord,
    signal: AbortSignal,
  ): Promise<void> {
    switch (step.do) {
      case "create":
        if (!(await this.#places.hasRoom(record, signal))) return undefined;
        return this.#creator.create(record, () => this.#wake(record.uid), signal);
      case "ask":
        return this.#ask(record, signal);
      case "delete-job":
        stopWatching(record);
        return this.#deleter.deleteJob(record, signal);
      case "confirm-gone":
        return this.#deleter.confirmGone(record, (one, answer) => this.#told(one, answer), signal);
      case "delete-object":
        return this.#deleter.deleteObject(record, signal);
      case "forget":
        this.#forget(record);
        return undefined;
    }
  }

  async #ask(record: PodRecord, signal: AbortSignal): Promise<void> {
    try {
      this.#told(record, await this.#questions.ask(record.pod));
      // Unknown, and yet not certain that it will stay so.
      if (record.job === "maybe")
        retryLater(record, "ask", this.#context.timing.siteRetry, this.#context);
    } catch (error) {
      if (signal.aborted) throw error;
      this.#context.logger.debug(
        { ...aboutRecord(record), ...aboutError(error) },
        "the site does not answer",
      );
      const message = `The site does not say whether it has the pod: ${wordsOf(error)}`;
      record.waiting = new Map([["", { reason: "SiteUnavailable", message }]]);
      retryLater(record, "ask", this.#context.timing.siteRetry, this.#context);
    }
  }

  #told(record: PodRecord, { status, askedAt }: SiteAnswer): void {
    if (status) this.#hear(record, status, askedAt);
    else this.#unknown(record, askedAt);
  }

  #hear(record: PodRecord, status: RemotePodStatus, at: number): void {
    hear(record, status, at);
    if (status.extension?.gone === true && hearGone(record)) this.#lost(record);
  }

  #unknown(record: PodRecord, askedAt: number): void {
    const { timing, site, now } = this.#context;
    const lostAfterMs = site.capabilities ? timing.lostAfterMs : timing.baseLostAfterMs;
    if (hearUnknown(record, askedAt, now(), lostAfterMs)) this.#lost(record);
  }

  /** The job ended without telling how. It is not started again: it may have done its work. */
  #lost(record: PodRecord): void {
    const { events, logger } = this.#context;
    const message =
      "The site does not know the job of this pod any more, although nobody asked to delete it. How it ended is unknown.";
    record.job = "over";
    delete record.unknown;
    record.verdict ??= { reason: JOB_LOST, message };
    if (!record.absent) events.warning(record.pod, JOB_LOST, message);
    logger.error(aboutRecord(record), "the job of a pod is lost");
  }

  #checkDeadline(record: PodRecord): void {
    const { events, wall } = this.#context;
    const left = deadlineInMs(record, wall().getTime());
    if (left === undefined || left > 0) return;
    const message = "Pod was active on the node longer than the specified deadline";
    record.verdict = { reason: "DeadlineExceeded", message };
    record.deadlinePassed = true;
    events.normal(record.pod, "DeadlineExceeded", message);
    this.#statuses.touch(record.uid);
  }

  #forget(record: PodRecord): void {
    stopWatching(record);
    this.#places.forget(record.uid);
    this.#updates.forget(record.uid);
    this.#records.delete(record.uid);
    this.#statuses.forget(record.uid);
    this.#context.logger.debug(aboutRecord(record), "the pod is gone");
  }

  /** Pods that the site is asked about when it cannot stream. */
  #followed(): Pod[] {
    return [...this.#records.values()]
      .filter(({ job }) => job === "there" || job === "maybe")
      .filter(({ pod, accepted }) => accepted || !isTerminalPhase(pod.status?.phase))
      .map(({ pod }) => pod);
  }

  #listener(connection: RemoteListener["connection"]): RemoteListener {
    let connected = false;
    return {
      status: (status) => {
        const record = this.#records.get(status.UID);
        if (!record) {
          this.#orphans.told(status);
          return;
        }
        this.#hear(record, status, this.#context.now());
        this.#wake(record.uid);
      },
      synced: (answer) => this.#synced(answer),
      gone: (uid) => this.#gone(uid),
      event: (event: RemotePodEvent) => {
        const record = this.#records.get(event.UID);
        if (record && !record.absent) this.#context.events.remote(record.pod, event);
      },
      connection: (state, error) => {
        const back = state === "connected" && !connected;
        connected = state === "connected";
        connection(state, error);
        if (back) this.siteAnswers();
      },
    };
  }

  #synced({ askedAt, asked, known }: SyncedAnswer): void {
    for (const record of this.#records.values()) {
      if (known.has(record.uid) || !(asked === "all" || asked.has(record.uid))) continue;
      if (record.job === "none" || record.job === "refused" || record.job === "over") continue;
      // A create whose answer was lost may still be on its way: that question is asked for itself.
      if (record.job === "maybe" && !record.accepted) continue;
      this.#unknown(record, askedAt);
      this.#wake(record.uid);
    }
  }

  #gone(uid: string): void {
    this.#orphans.clear(uid);
    const record = this.#records.get(uid);
    if (!record) return;
    if (hearGone(record)) this.#lost(record);
    this.#wake(uid);
  }
}
