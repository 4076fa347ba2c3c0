import type { Container, EphemeralContainer, PodSpec } from "kubernetes-types/core/v1.js";
import type { ObservedContainer } from "../runtime/container-runtime.ts";
import { decide } from "../supervisor/decide.ts";
import type { Decision, PodMemory, ProbeSummary, Situation } from "../supervisor/decision.ts";
import { actionKey } from "../supervisor/decision.ts";
import { planPod } from "../supervisor/planned-pod.ts";
import type { Attempt, ContainerRecord, PodRecord } from "../supervisor/record.ts";
import { EMPTY_RECORD } from "../supervisor/record.ts";

export const NOW = Date.UTC(2026, 0, 1);

/** What a table row says about a situation; the rest is usual. */
export interface Given {
  init?: Container[];
  containers?: Container[];
  ephemeral?: EphemeralContainer[];
  policy?: PodSpec["restartPolicy"];
  grace?: number;
  record?: Record<string, ContainerRecord>;
  deletion?: PodRecord["deletion"];
  eviction?: PodRecord["eviction"];
  lost?: PodRecord["lost"];
  /** Containers whose image is present for the next attempt. */
  images?: string[];
  probes?: Record<string, ProbeSummary>;
  sandbox?: PodMemory["sandbox"];
  observed?: ObservedContainer[];
  inFlight?: string[];
  now?: number;
}

export function situation(given: Given): Situation {
  const { record = {}, policy = "Always" } = given;
  const attemptOf = (name: string) => (record[name]?.current?.attempt ?? -1) + 1;
  return {
    plan: planPod({
      metadata: { uid: "u1", name: "web", namespace: "prod" },
      spec: {
        restartPolicy: policy,
        initContainers: given.init ?? [],
        containers: given.containers ?? [{ name: "main", image: "app" }],
        ephemeralContainers: given.ephemeral ?? [],
        ...(given.grace !== undefined && { terminationGracePeriodSeconds: given.grace }),
      },
    }),
    record: {
      ...EMPTY_RECORD,
      containers: record,
      ...(given.deletion && { deletion: given.deletion }),
      ...(given.eviction && { eviction: given.eviction }),
      ...(given.lost && { lost: given.lost }),
    },
    memory: {
      sandbox: given.sandbox ?? "ready",
      images: new Map(
        (given.images ?? []).map((name) => [name, { attempt: attemptOf(name), imageID: "sha" }]),
      ),
      probes: new Map(Object.entries(given.probes ?? {})),
      observed: given.observed ?? [],
      inFlight: new Set(given.inFlight),
    },
    now: given.now ?? NOW,
  };
}

/** Actions as their keys, a stop with its grace. */
export function steps(decision: Decision): string[] {
  return decision.actions.map((action) =>
    action.type === "stop"
      ? `stop ${action.container} ${action.attempt} in ${action.graceSeconds}s`
      : actionKey(action),
  );
}

export function decideGiven(given: Given): Decision {
  return decide(situation(given));
}

const made = (attempt: number): Attempt => ({
  attempt,
  id: `id${attempt}`,
  imageID: "sha",
  state: "created",
});

export function created(attempt = 0): ContainerRecord {
  return { current: made(attempt) };
}

export function running(attempt = 0, more: Partial<Attempt> = {}): ContainerRecord {
  return { current: { ...made(attempt), state: "running", startedAt: NOW - 5_000, ...more } };
}

/** Ended one second ago. */
export function exited(
  exitCode: number,
  attempt = 0,
  more: Partial<Attempt> = {},
): ContainerRecord {
  return {
    current: {
      ...made(attempt),
      state: "exited",
      startedAt: NOW - 5_000,
      finishedAt: NOW - 1_000,
      exitCode,
      reason: exitCode === 0 ? "Completed" : "Error",
      ...more,
    },
  };
}
