import type { Container, Probe } from "kubernetes-types/core/v1.js";
import type { ProbeSummary } from "../decision.ts";
import type { PlannedPod } from "../planned-pod.ts";
import type { Attempt, PodRecord } from "../record.ts";
import { containerRecord } from "../record.ts";
import type { ProbeKind, ProbeOutcome, ProbeWorker } from "./probe-worker.ts";
import { afterLook, newWorker, notFurtherThan } from "./probe-worker.ts";

/** A look that is to be made now. */
export interface DueProbe {
  container: Container;
  attempt: Attempt;
  kind: ProbeKind;
  probe: Probe;
  begunAt: number;
}

const KINDS: readonly ProbeKind[] = ["startup", "liveness", "readiness"];

/** All probes of one pod: which are due, and what they have said. Holds no timer; the supervisor has one per pod. */
export class PodProbes {
  readonly #plan: PlannedPod;
  readonly #states = new Map<string, ContainerProbes>();
  readonly #looking = new Set<string>();

  constructor(plan: PlannedPod) {
    this.#plan = plan;
  }

  /** Begin with attempts that run now, let go of those that do not. */
  follow(record: PodRecord, now: number): void {
    for (const { name, container, kind } of this.#plan.all) {
      if (kind === "init") continue;
      const { current } = containerRecord(record, name);
      const state = this.#states.get(name);
      if (current?.state !== "running") {
        this.#states.delete(name);
      } else if (state?.attempt !== current.attempt) {
        const fresh = containerProbes(container, current, now);
        if (fresh !== undefined) this.#states.set(name, fresh);
        else this.#states.delete(name);
      } else {
        for (const [probed, worker] of state.workers) {
          const probe = probeOf(container, probed);
          if (probe !== undefined) state.workers.set(probed, notFurtherThan(worker, probe, now));
        }
      }
    }
  }

  /** Marked as being looked at until {@link report}. */
  takeDue(record: PodRecord, now: number): DueProbe[] {
    const due: DueProbe[] = [];
    this.#eachActive(record, (name, container, attempt, worker) => {
      if (worker.nextAt > now) return;
      const probe = probeOf(container, worker.kind);
      if (probe === undefined) return;
      this.#looking.add(key(name, attempt.attempt, worker.kind));
      due.push({ container, attempt, kind: worker.kind, probe, begunAt: now });
    });
    return due;
  }

  nextAt(record: PodRecord): number | undefined {
    let next: number | undefined;
    this.#eachActive(record, (_name, _container, _attempt, worker) => {
      next = Math.min(next ?? worker.nextAt, worker.nextAt);
    });
    return next;
  }

  /** What a look said; `undefined` = it could not be made. */
  report(due: DueProbe, outcome: ProbeOutcome | undefined, now: number): void {
    const { name } = due.container;
    this.#looking.delete(key(name, due.attempt.attempt, due.kind));
    const state = this.#states.get(name);
    const worker = state?.workers.get(due.kind);
    if (state?.attempt !== due.attempt.attempt || worker === undefined) return;
    state.workers.set(due.kind, afterLook(worker, due.probe, outcome, due.begunAt, now));
  }

  summaries(): Map<string, ProbeSummary> {
    const summaries = new Map<string, ProbeSummary>();
    for (const [name, { attempt, workers }] of this.#states) {
      const startup = workers.get("startup");
      const readiness = workers.get("readiness");
      const failed = (["startup", "liveness"] as const).find((kind) => workers.get(kind)?.held);
      summaries.set(name, {
        attempt,
        startup: startup === undefined || startup.result === "success",
        ready: readiness === undefined || readiness.result === "success",
        ...(failed && { failed }),
      });
    }
    return summaries;
  }

  #eachActive(
    record: PodRecord,
    visit: (name: string, container: Container, attempt: Attempt, worker: ProbeWorker) => void,
  ): void {
    for (const { name, container } of this.#plan.all) {
      const state = this.#states.get(name);
      const { current } = containerRecord(record, name);
      if (state === undefined || current?.attempt !== state.attempt) continue;
      const startup = state.workers.get("startup");
      const isStarted = startup === undefined || startup.result === "success";
      for (const worker of state.workers.values()) {
        // Before startup only its own probe runs, afterwards all but it; a container that is being stopped is only
        // asked whether it is still ready.
        if (worker.held || (worker.kind === "startup") === isStarted) continue;
        if (current.stop !== undefined && worker.kind !== "readiness") continue;
        if (this.#looking.has(key(name, state.attempt, worker.kind))) continue;
        visit(name, container, current, worker);
      }
    }
  }
}

interface ContainerProbes {
  readonly attempt: number;
  readonly workers: Map<ProbeKind, ProbeWorker>;
}

function containerProbes(
  container: Container,
  attempt: Attempt,
  now: number,
): ContainerProbes | undefined {
  const workers = new Map<ProbeKind, ProbeWorker>();
  for (const kind of KINDS) {
    const probe = probeOf(container, kind);
    if (probe === undefined) continue;
    let worker = newWorker(kind, probe, attempt.startedAt ?? now);
    // What was known before this process began goes on being true until a look says otherwise.
    if (kind === "startup" && attempt.startupDone) worker = { ...worker, result: "success" };
    if (kind === "readiness" && attempt.ready) worker = { ...worker, result: "success" };
    workers.set(kind, worker);
  }
  return workers.size === 0 ? undefined : { attempt: attempt.attempt, workers };
}

function probeOf(container: Container, kind: ProbeKind): Probe | undefined {
  if (kind === "startup") return container.startupProbe;
  return kind === "liveness" ? container.livenessProbe : container.readinessProbe;
}

function key(name: string, attempt: number, kind: ProbeKind): string {
  return `${name} ${attempt} ${kind}`;
}
