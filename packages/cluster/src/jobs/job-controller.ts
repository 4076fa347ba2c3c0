import type { Job, JobSpec } from "kubernetes-types/batch/v1.js";
import type { Pod } from "kubernetes-types/core/v1.js";
import { ApiError } from "../api/api-error.ts";
import { as, clone, type KubeObject, sameJson } from "../api/object.ts";
import { type Controller, type ControllerParts, Lifetime } from "../controllers/controller.ts";
import { KeyQueue } from "../controllers/key-queue.ts";
import type { DeleteOptions } from "../resources/definition.ts";
import { systemCall, type Target } from "../rest/call.ts";
import { createObject } from "../rest/create.ts";
import { deleteObject } from "../rest/delete.ts";
import { updateObject } from "../rest/update.ts";
import { failureAction } from "./failure-policy.ts";
import {
  backoffMs,
  finishedCondition,
  formatIndexes,
  indexOf,
  judge,
  type PodTally,
  parseIndexes,
  tallyPods,
  trackingFinalizer,
  type Verdict,
  wantedActive,
} from "./job-state.ts";
import {
  addCondition,
  type DraftStatus,
  finishedAt,
  freeIndexes,
  hasCondition,
  pendingVerdict,
  setCondition,
  setOrDrop,
  youngestFirst,
} from "./job-status.ts";
import { podFromTemplate } from "./pod-from-template.ts";

const component = "job-controller";
const call = systemCall("system:job-controller");

/** Failures in a row of one job, for the back-off. Forgotten with the process, like the real controller's. */
interface Failures {
  count: number;
  lastAt: number;
}

/**
 * Runs batch/v1 Jobs. A job goes: started → (pods come and are counted, each once, its finalizer dropped in the same
 * step) → a verdict (SuccessCriteriaMet or FailureTarget) → remaining pods are deleted → Complete or Failed → removed
 * after its TTL. Everything of one step happens without an await, so a count is never lost or doubled.
 */
export class JobController implements Controller {
  readonly #parts: ControllerParts;
  readonly #backoffBaseMs: number;
  readonly #lifetime = new Lifetime();
  readonly #queue: KeyQueue;
  /** Keys of the pods that a job controls, by the job's uid. */
  readonly #pods = new Map<string, Set<string>>();
  readonly #failures = new Map<string, Failures>();

  constructor(parts: ControllerParts, backoffBaseMs: number) {
    this.#parts = parts;
    this.#backoffBaseMs = backoffBaseMs;
    this.#queue = new KeyQueue("jobs", parts.logger, (key) => this.#reconcile(key));
  }

  start(): void {
    const { storage } = this.#parts;
    const jobs = storage.storeOf("jobs", "batch");
    const pods = storage.storeOf("pods");
    for (const pod of pods.values()) this.#onPod(pod, false);
    for (const job of jobs.values()) this.#queue.add(keyOfJob(job));
    this.#lifetime.add(
      pods.subscribe((event) => this.#onPod(event.object, event.type === "DELETED")),
    );
    this.#lifetime.add(
      jobs.subscribe((event) => {
        if (event.type === "DELETED") this.#forget(event.object);
        else this.#queue.add(event.key);
      }),
    );
  }

  stop(): void {
    this.#lifetime.end();
    this.#queue.stop();
  }

  #onPod(pod: KubeObject, deleted: boolean): void {
    const owner = (pod.metadata.ownerReferences ?? []).find((item) => item.controller);
    if (owner?.kind !== "Job") return;
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
    const set = this.#pods.get(owner.uid) ?? new Set<string>();
    if (deleted) set.delete(key);
    else set.add(key);
    if (set.size === 0) this.#pods.delete(owner.uid);
    else this.#pods.set(owner.uid, set);
    this.#queue.add(`${pod.metadata.namespace}/${owner.name}`);
  }

  /** The job object has gone: its pods must not wait for anybody to count them. */
  #forget(job: KubeObject): void {
    const uid = job.metadata.uid ?? "";
    this.#failures.delete(uid);
    this.#queue.add(keyOfJob(job));
  }

  #podsOf(uid: string): KubeObject[] {
    const store = this.#parts.storage.storeOf("pods");
    return [...(this.#pods.get(uid) ?? [])]
      .map((key) => store.get(key))
      .filter((pod) => pod !== undefined);
  }

  #reconcile(key: string): void {
    const { storage } = this.#parts;
    const object = storage.storeOf("jobs", "batch").get(key);
    this.#releaseOrphans(key, object?.metadata.uid);
    if (!object) return;
    const job = as<Job>(object);
    const pods = this.#podsOf(object.metadata.uid ?? "");
    if (finishedCondition(job) !== undefined) {
      for (const pod of pods) this.#release(pod);
      this.#expire(key, object);
      return;
    }
    this.#sync(object, job.spec as JobSpec, pods);
  }

  #releaseOrphans(key: string, uid: string | undefined): void {
    const [namespace = "", name = ""] = key.split("/");
    for (const owner of this.#pods.keys()) {
      if (owner === uid) continue;
      for (const pod of this.#podsOf(owner)) {
        const reference = pod.metadata.ownerReferences?.find((item) => item.controller);
        if (pod.metadata.namespace !== namespace || reference?.name !== name) break;
        this.#release(pod);
      }
    }
  }

  #sync(object: KubeObject, spec: JobSpec, pods: KubeObject[]): void {
    const now = this.#parts.storage.chance.now();
    const tally = tallyPods(
      pods.map((pod) => as<Pod>(pod)),
      spec,
    );
    const before = as<Job>(object).status ?? {};
    const status = clone<unknown>(before) as DraftStatus;
    this.#count(object, spec, status, tally, pods);
    if (!spec.suspend) status.startTime ??= this.#parts.storage.timestamp();

    const facts = {
      succeeded: status.succeeded ?? 0,
      failed: status.failed ?? 0,
      hasNewFailure: (status.failed ?? 0) > (before.failed ?? 0),
      active: tally.active,
      runningMs: status.startTime ? now - Date.parse(status.startTime) : 0,
    };
    const verdict =
      pendingVerdict(before) ?? policyVerdict(spec, tally.newlyFailed) ?? judge(spec, facts);
    let active = tally.active.length;
    if (verdict) active = this.#finish(object, status, verdict, tally);
    else {
      this.#suspend(object, spec, status);
      active += this.#scale(object, spec, status, tally);
    }
    setOrDrop(status, "active", active);
    setOrDrop(status, "ready", active === 0 ? 0 : Math.min(tally.ready, active));
    status.ready ??= 0;
    setOrDrop(status, "terminating", tally.terminating.length);
    status.terminating ??= 0;
    status.uncountedTerminatedPods = {};
    this.#writeStatus(object, status);
    if (spec.activeDeadlineSeconds !== undefined && !verdict && !spec.suspend) {
      const left = spec.activeDeadlineSeconds * 1000 - facts.runningMs;
      this.#queue.addAfter(keyOfJob(object), Math.max(left, 0) + 1);
    }
  }

  /** Counts what has ended and drops the finalizers: one step, as nothing can come between. */
  #count(
    object: KubeObject,
    spec: JobSpec,
    status: DraftStatus,
    tally: PodTally,
    pods: readonly KubeObject[],
  ): void {
    const uid = object.metadata.uid ?? "";
    const ended = new Set<string | undefined>();
    let succeeded = tally.newlySucceeded.length;
    if (spec.completionMode === "Indexed") {
      const done = parseIndexes(status.completedIndexes);
      const known = done.size;
      for (const pod of tally.newlySucceeded) {
        const index = indexOf(pod);
        if (index !== undefined && index < (spec.completions ?? 0)) done.add(index);
      }
      succeeded = done.size - known;
      if (done.size > 0) status.completedIndexes = formatIndexes(done);
    }
    if (succeeded > 0) status.succeeded = (status.succeeded ?? 0) + succeeded;
    const failed = tally.newlyFailed.filter(
      (pod) => failureAction(spec.podFailurePolicy, pod).action !== "Ignore",
    );
    if (failed.length > 0) {
      status.failed = (status.failed ?? 0) + failed.length;
      const known = this.#failures.get(uid) ?? { count: 0, lastAt: 0 };
      const lastAt = Math.max(known.lastAt, ...failed.map(finishedAt));
      this.#failures.set(uid, {
        count: known.count + failed.length,
        lastAt: lastAt || this.#parts.storage.chance.now(),
      });
    }
    if (tally.newlySucceeded.length > 0) this.#failures.delete(uid);
    for (const pod of [...tally.newlySucceeded, ...tally.newlyFailed]) ended.add(pod.metadata?.uid);
    for (const pod of pods) if (ended.has(pod.metadata.uid)) this.#release(pod);
  }

  /** The verdict first, then the pods, then the last condition; returns how many pods are still active. */
  #finish(object: KubeObject, status: DraftStatus, verdict: Verdict, tally: PodTally): number {
    const now = this.#parts.storage.timestamp();
    const interim = verdict.type === "Complete" ? "SuccessCriteriaMet" : "FailureTarget";
    if (!hasCondition(status, interim)) {
      addCondition(status, interim, verdict.reason, verdict.message, now);
    }
    for (const pod of tally.active) this.#deletePod(object, pod);
    if (tally.active.length > 0 || tally.terminating.length > 0) return 0;
    addCondition(status, verdict.type, verdict.reason, verdict.message, now);
    if (verdict.type === "Complete") {
      status.completionTime = now;
      this.#event(object, "Normal", "Completed", "Job completed");
    } else {
      this.#event(object, "Warning", verdict.reason, verdict.message);
    }
    return 0;
  }

  #suspend(object: KubeObject, spec: JobSpec, status: DraftStatus): void {
    const now = this.#parts.storage.timestamp();
    const suspended = hasCondition(status, "Suspended");
    if (spec.suspend && !suspended) {
      setCondition(status, "Suspended", "True", "JobSuspended", "Job suspended", now);
      delete status.startTime;
      this.#event(object, "Normal", "Suspended", "Job suspended");
    } else if (!spec.suspend && suspended) {
      setCondition(status, "Suspended", "False", "JobResumed", "Job resumed", now);
      status.startTime = now;
      this.#event(object, "Normal", "Resumed", "Job resumed");
    }
  }

  /** Creates or deletes pods; returns the change of the number of active ones. */
  #scale(object: KubeObject, spec: JobSpec, status: DraftStatus, tally: PodTally): number {
    if (object.metadata.deletionTimestamp) return 0;
    const active = tally.active.length;
    const wanted = wantedActive(spec, status.succeeded ?? 0, active, tally.terminating.length);
    if (wanted < active) {
      const surplus = [...tally.active].sort(youngestFirst).slice(0, active - wanted);
      for (const pod of surplus) this.#deletePod(object, pod);
      return -surplus.length;
    }
    if (wanted === active) return 0;
    const wait = this.#backoffLeft(object);
    if (wait > 0) {
      this.#queue.addAfter(keyOfJob(object), wait);
      return 0;
    }
    const indexes =
      spec.completionMode === "Indexed" ? freeIndexes(spec, status, tally) : undefined;
    let created = 0;
    while (created < wanted - active) {
      const index = indexes?.[created];
      if (indexes && index === undefined) break;
      this.#createPod(object, index);
      created += 1;
    }
    return created;
  }

  #backoffLeft(object: KubeObject): number {
    const failures = this.#failures.get(object.metadata.uid ?? "");
    if (!failures) return 0;
    const until = failures.lastAt + backoffMs(failures.count, this.#backoffBaseMs);
    return until - this.#parts.storage.chance.now();
  }

  #createPod(object: KubeObject, index: number | undefined): void {
    const { storage } = this.#parts;
    const target = { definition: storage.must("pods"), namespace: object.metadata.namespace };
    try {
      const pod = createObject(storage, target, podFromTemplate(object, index), call);
      this.#event(object, "Normal", "SuccessfulCreate", `Created pod: ${pod.metadata.name}`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#event(object, "Warning", "FailedCreate", `Error creating: ${why}`);
      throw error;
    }
  }

  #deletePod(object: KubeObject, pod: Pod): void {
    const { name = "", namespace, uid = "" } = pod.metadata ?? {};
    const target = { definition: this.#parts.storage.must("pods"), namespace };
    if (this.#tryDelete(target, name, { preconditions: { uid } })) {
      this.#event(object, "Normal", "SuccessfulDelete", `Deleted pod: ${name}`);
    }
  }

  #tryDelete(target: Target, name: string, options: DeleteOptions): boolean {
    try {
      deleteObject(this.#parts.storage, target, name, options, call);
      return true;
    } catch (error) {
      if (error instanceof ApiError && (error.code === 404 || error.code === 409)) return false;
      throw error;
    }
  }

  #release(pod: KubeObject): void {
    if (!(pod.metadata.finalizers ?? []).includes(trackingFinalizer)) return;
    const target = {
      definition: this.#parts.storage.must("pods"),
      namespace: pod.metadata.namespace,
    };
    const change = (current: KubeObject): KubeObject => {
      const next = clone(current);
      const left = (next.metadata.finalizers ?? []).filter((item) => item !== trackingFinalizer);
      if (left.length > 0) next.metadata.finalizers = left;
      else delete next.metadata.finalizers;
      return next;
    };
    updateObject(this.#parts.storage, target, pod.metadata.name ?? "", change, call);
  }

  #expire(key: string, object: KubeObject): void {
    const job = as<Job>(object);
    const ttl = job.spec?.ttlSecondsAfterFinished;
    if (ttl === undefined || object.metadata.deletionTimestamp) return;
    const last = (job.status?.conditions ?? []).find(
      (item) => (item.type === "Complete" || item.type === "Failed") && item.status === "True",
    );
    const ended = Date.parse(last?.lastTransitionTime ?? "");
    const left = ended + ttl * 1000 - this.#parts.storage.chance.now();
    if (left > 0) {
      this.#queue.addAfter(key, left);
      return;
    }
    const target = {
      definition: this.#parts.storage.must("jobs", "batch"),
      namespace: object.metadata.namespace,
    };
    const options = { propagationPolicy: "Foreground" } as const;
    this.#tryDelete(target, object.metadata.name ?? "", options);
  }

  #writeStatus(object: KubeObject, status: DraftStatus): void {
    if (sameJson(object.status, status)) return;
    const { storage } = this.#parts;
    const target = {
      definition: storage.must("jobs", "batch"),
      namespace: object.metadata.namespace,
    };
    const change = (current: KubeObject): KubeObject => ({
      ...current,
      metadata: { ...current.metadata },
      status,
    });
    updateObject(storage, target, object.metadata.name ?? "", change, call, "status");
  }

  #event(object: KubeObject, type: "Normal" | "Warning", reason: string, message: string): void {
    const definition = this.#parts.storage.must("jobs", "batch");
    this.#parts.events.record(component, { definition, object }, type, reason, message);
  }
}

function keyOfJob(job: KubeObject): string {
  return `${job.metadata.namespace}/${job.metadata.name}`;
}

/** What the job's own rules say of pods that have failed just now. */
function policyVerdict(spec: JobSpec, failed: readonly Pod[]): Verdict | undefined {
  for (const pod of failed) {
    const { action, message } = failureAction(spec.podFailurePolicy, pod);
    if (action === "FailJob") return { type: "Failed", reason: "PodFailurePolicy", message };
  }
  return undefined;
}
