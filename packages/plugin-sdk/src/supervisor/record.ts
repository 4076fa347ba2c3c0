import type { BackOff } from "./back-off.ts";

/**
 * What is remembered of a pod over restarts of the plugin (the job's `record`). Plain JSON; times are milliseconds
 * since the epoch. Values are never changed in place.
 */
export interface PodRecord {
  readonly schemaVersion: 1;
  readonly containers: Readonly<Record<string, ContainerRecord>>;
  readonly sandbox?: {
    readonly readyAt: number;
    readonly podIPs: readonly string[];
    readonly instance?: string;
  };
  /** The newest attempts, by container, that belonged to a sandbox that was lost: what they did does not count. */
  readonly lost?: Readonly<Record<string, number>>;
  readonly deletion?: Deletion;
  /** The pod is over and its sandbox was let go. */
  readonly sandboxStopped?: boolean;
  /** The pod must end, for it takes more than it may; when all its containers have, this is why it failed. */
  readonly eviction?: { readonly reason: string; readonly message: string };
  /** The pod as a whole was refused or evicted; nothing of it ever starts. */
  readonly failed?: { readonly reason: string; readonly message: string };
}

export interface Deletion {
  readonly requestedAt: number;
  /** When everything is killed. A later delete may only bring it forward. */
  readonly deadline: number;
}

export interface ContainerRecord {
  /** Newest attempt. Absent: none was ever made. */
  readonly current?: Attempt;
  /** The one before it, for `lastState` and `logs --previous`. */
  readonly previous?: Attempt;
  readonly crash?: BackOff;
  /** Attempt whose end the BackOff event was told for. */
  readonly crashTold?: number;
  readonly image?: ImageTrouble;
  readonly problem?: CreateProblem;
}

/** The image could not be made present. Gone when it could. */
export interface ImageTrouble {
  readonly code: string;
  readonly message: string;
  readonly backOff: BackOff;
  readonly backOffTold?: boolean;
}

/** The container could not be made. Gone when it could. */
export interface CreateProblem {
  readonly reason: string;
  readonly message: string;
  readonly retryAt: number;
}

export interface Attempt {
  /** 0 for the first; equals `restartCount`. */
  readonly attempt: number;
  /** The runtime's id. */
  readonly id: string;
  readonly imageID: string;
  /** The image of the spec that it was made by; absent in records of older plugins. */
  readonly image?: string;
  readonly state: "created" | "running" | "exited";
  readonly startedAt?: number;
  readonly finishedAt?: number;
  /** Set with `exited`. */
  readonly exitCode?: number;
  readonly reason?: string;
  readonly message?: string;
  /** The runtime refused to start it; it never ran. */
  readonly startFailed?: boolean;
  /** Its postStart hook is over (or it has none). */
  readonly postStartDone?: boolean;
  /** Its startup probe has succeeded. */
  readonly startupDone?: boolean;
  /** Last answer of its readiness probe, so that a restart of the plugin does not make it unready. */
  readonly ready?: boolean;
  readonly stop?: StopIntent;
}

export type StopReason =
  | "delete"
  | "finished"
  | "liveness"
  | "startup"
  | "postStart"
  | "changed"
  | "evicted"
  | "sandbox";

/** The container is to end. Written before anything is done to it. */
export interface StopIntent {
  readonly reason: StopReason;
  readonly deadline: number;
  readonly preStopDone?: boolean;
}

export const EMPTY_RECORD: PodRecord = { schemaVersion: 1, containers: {} };

/** Checks a record read from disk; throws an `Error` that says what is wrong. */
export function readPodRecord(value: unknown): PodRecord {
  const record = value as Partial<PodRecord> | null | undefined;
  if (typeof record !== "object" || record === null) throw new Error("its record is no object");
  if (record.schemaVersion !== 1) throw new Error("its record has an unknown version");
  if (typeof record.containers !== "object" || record.containers === null) {
    throw new Error("its record has no containers");
  }
  return record as PodRecord;
}

export function containerRecord(record: PodRecord, name: string): ContainerRecord {
  return Object.hasOwn(record.containers, name) ? (record.containers[name] ?? {}) : {};
}

/** Whether an attempt belonged to a sandbox that was lost since. */
export function isLost({ lost = {} }: PodRecord, name: string, attempt: Attempt): boolean {
  return Object.hasOwn(lost, name) && attempt.attempt <= (lost[name] ?? -1);
}

/** The number of each container's newest attempt. */
export function newestAttempts({ containers }: PodRecord): Record<string, number> {
  return Object.fromEntries(
    Object.entries(containers).flatMap(([name, { current }]) =>
      current === undefined ? [] : [[name, current.attempt]],
    ),
  );
}

/** The record with one container changed. */
export function withContainer(
  record: PodRecord,
  name: string,
  change: (container: ContainerRecord) => ContainerRecord,
): PodRecord {
  const before = containerRecord(record, name);
  const after = change(before);
  if (after === before) return record;
  return { ...record, containers: { ...record.containers, [name]: after } };
}

/** The record with every container that could not be made tried again at `now`: what it waits for may have come. */
export function withProblemsRetried(record: PodRecord, now: number): PodRecord {
  return Object.entries(record.containers).reduce(
    (changed, [name, { problem }]) =>
      problem === undefined
        ? changed
        : withContainer(changed, name, (before) => ({
            ...before,
            problem: { ...problem, retryAt: Math.min(problem.retryAt, now) },
          })),
    record,
  );
}

/** The record with an attempt changed, if it is still the newest one. */
export function withAttempt(
  record: PodRecord,
  name: string,
  attempt: number,
  change: (attempt: Attempt) => Attempt,
): PodRecord {
  return withContainer(record, name, (container) => {
    if (container.current?.attempt !== attempt) return container;
    const current = change(container.current);
    return current === container.current ? container : { ...container, current };
  });
}
