import type { Probe } from "kubernetes-types/core/v1.js";

export type ProbeKind = "startup" | "liveness" | "readiness";

/** A look at a container. `ok` with a `warning` is a redirect to another host. */
export interface ProbeOutcome {
  ok: boolean;
  output: string;
  warning?: boolean;
}

/** One probe of one attempt, between two looks. Pure: each step gives a new one (Kubernetes `pkg/kubelet/prober`). */
export interface ProbeWorker {
  readonly kind: ProbeKind;
  /** Not before; milliseconds since the epoch. */
  readonly nextAt: number;
  readonly result: "success" | "failure" | "unknown";
  /** Equal outcomes in a row. */
  readonly run: number;
  readonly last?: boolean;
  /** A liveness or startup probe has failed for good; the container is being killed. */
  readonly held: boolean;
}

export const probeDefaults = {
  initialDelaySeconds: 0,
  periodSeconds: 10,
  timeoutSeconds: 1,
  successThreshold: 1,
  failureThreshold: 3,
};

const INITIAL = { readiness: "failure", liveness: "success", startup: "unknown" } as const;

export function newWorker(kind: ProbeKind, probe: Probe, startedAt: number): ProbeWorker {
  const delay = probe.initialDelaySeconds ?? probeDefaults.initialDelaySeconds;
  return { kind, nextAt: startedAt + delay * 1000, result: INITIAL[kind], run: 0, held: false };
}

/** The worker once the clock was set back: the next look comes no later than the longest wait from now. */
export function notFurtherThan(worker: ProbeWorker, probe: Probe, now: number): ProbeWorker {
  const delay = probe.initialDelaySeconds ?? probeDefaults.initialDelaySeconds;
  const latest = now + Math.max(delay, periodSeconds(probe)) * 1000;
  return worker.nextAt > latest ? { ...worker, nextAt: latest } : worker;
}

/**
 * After a look, from `begunAt` to `now`. `undefined` = it could not be made; then nothing else changes. Looks begin a
 * period apart; one that took longer is followed by the next at once.
 */
export function afterLook(
  worker: ProbeWorker,
  probe: Probe,
  outcome: Pick<ProbeOutcome, "ok"> | undefined,
  begunAt: number,
  now: number,
): ProbeWorker {
  const next = { ...worker, nextAt: Math.max(begunAt + periodSeconds(probe) * 1000, now) };
  if (outcome === undefined) return next;
  const run = worker.last === outcome.ok ? worker.run + 1 : 1;
  const threshold = outcome.ok
    ? (probe.successThreshold ?? probeDefaults.successThreshold)
    : (probe.failureThreshold ?? probeDefaults.failureThreshold);
  if (run < threshold) return { ...next, run, last: outcome.ok };
  const result = outcome.ok ? "success" : "failure";
  const held = !outcome.ok && worker.kind !== "readiness";
  return { ...next, run: held ? 0 : run, last: outcome.ok, result, held };
}

function periodSeconds(probe: Probe): number {
  return Math.max(1, probe.periodSeconds ?? probeDefaults.periodSeconds);
}
