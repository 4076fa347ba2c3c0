import { eventTexts } from "../supervisor/event-texts.ts";
import type { PlannedPod } from "../supervisor/planned-pod.ts";
import { rfc3339 } from "../supervisor/pod-status.ts";
import type { Attempt, ContainerRecord, PodRecord, StopReason } from "../supervisor/record.ts";
import { containerRecord, EMPTY_RECORD, withAttempt, withContainer } from "../supervisor/record.ts";
import type { BatchEvent } from "./contract.ts";

/** What a job's records say, in the terms of the supervisor, so that both tell a pod's status in the same words. */
export interface FoldedRecords {
  record: PodRecord;
  events: readonly BatchEvent[];
  /** Milliseconds since the epoch. */
  startedAt?: number;
  finishedAt?: number;
  exitCode?: number;
  hostName?: string;
}

const MOST_EVENTS = 100;

/**
 * The lines that the script has written so far. What is cut off, unknown or not sound is left out; a line that comes
 * twice counts once. The file belongs to the job's user, so nothing in it is trusted to be what the script wrote.
 */
export function foldRecords(text: string, plan: PlannedPod): FoldedRecords {
  // The last line is whole only if a newline follows.
  const lines = text.split("\n").slice(0, -1);
  return lines.reduce<FoldedRecords>((folded, line) => foldLine(folded, line, plan), {
    record: EMPTY_RECORD,
    events: [],
  });
}

function foldLine(folded: FoldedRecords, line: string, plan: PlannedPod): FoldedRecords {
  const [seconds, word = "", ...fields] = line.split(" ");
  const at = milliseconds(seconds);
  if (at === undefined) return folded;
  const [first = ""] = fields;
  switch (word) {
    case "pod-started":
      // A full disk has taken it and not what came behind it, so that it was written again.
      return at === folded.startedAt ? folded : begunAgain(folded, at, first, plan);
    case "pod-finished":
      return { ...folded, finishedAt: at, exitCode: wholeNumber(first) ?? 1 };
    case "ending": {
      if (first !== "delete") return folded;
      const deletion = { requestedAt: at, deadline: at + plan.graceSeconds * 1000 };
      return { ...folded, record: { ...folded.record, deletion } };
    }
    case "failed": {
      const failed = { reason: "BatchJobFailed", message: decoded(first) };
      return { ...folded, record: { ...folded.record, failed } };
    }
    default:
      return plan.all.some(({ name }) => name === first)
        ? foldContainer(folded, at, word, fields, plan)
        : folded;
  }
}

/** A job that was put back into the queue runs its pod from the beginning; what it did before does not count. */
function begunAgain(
  { record, events }: FoldedRecords,
  at: number,
  hostName: string,
  plan: PlannedPod,
): FoldedRecords {
  let next: PodRecord = { schemaVersion: 1, containers: record.containers };
  const lost: Record<string, number> = {};
  for (const { name } of plan.all) {
    next = withContainer(next, name, ({ current, previous }) => ({
      ...(current && { current: current.state === "exited" ? current : unknownEnd(current, at) }),
      ...(previous && { previous }),
    }));
    const { current } = containerRecord(next, name);
    if (current !== undefined) lost[name] = current.attempt;
  }
  if (Object.keys(lost).length > 0) next = { ...next, lost };
  return { record: next, events, startedAt: at, ...(hostName !== "-" && { hostName }) };
}

function unknownEnd(attempt: Attempt, finishedAt: number): Attempt {
  const message =
    "The container could not be located when the pod was deleted.  The container used to be Running";
  return {
    ...attempt,
    state: "exited",
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message,
    finishedAt,
  };
}

function foldContainer(
  folded: FoldedRecords,
  at: number,
  word: string,
  fields: readonly string[],
  plan: PlannedPod,
): FoldedRecords {
  const [name = "", second = "", third = "", fourth = "", reason = "", message = ""] = fields;
  const image = plan.all.find((planned) => planned.name === name)?.container.image ?? "";
  const number = wholeNumber(second) ?? -1;
  const change = (by: (attempt: Attempt) => Attempt): PodRecord =>
    withAttempt(folded.record, name, number, by);
  const own = (by: (before: ContainerRecord) => ContainerRecord): PodRecord =>
    withContainer(folded.record, name, by);
  const told = (record: PodRecord, ...texts: readonly Omit<BatchEvent, "at">[]): FoldedRecords => {
    const events = texts.map((text) => ({ at: rfc3339(at), ...text }));
    return { ...folded, record, events: [...folded.events, ...events].slice(-MOST_EVENTS) };
  };
  const is = (record: PodRecord): FoldedRecords =>
    record === folded.record ? folded : { ...folded, record };

  switch (word) {
    case "pulling":
      return told(folded.record, eventTexts.pulling(name, image));
    case "pulled":
      return is(own(({ image: _image, ...rest }) => rest));
    case "pull-failed": {
      const trouble = { code: "ErrImagePull", message: decoded(third) };
      const backOff = { delayMs: number, updatedAt: at };
      const record = own((before) => ({ ...before, image: { ...trouble, backOff } }));
      return told(record, ...eventTexts.imageFailed(name, image, trouble.code, trouble.message));
    }
    case "problem": {
      const problem = { reason: second, message: decoded(third), retryAt: at };
      return told(
        own((before) => ({ ...before, problem })),
        eventTexts.failed(name, problem.message),
      );
    }
    case "created": {
      if (number <= (containerRecord(folded.record, name).current?.attempt ?? -1)) return folded;
      const id = `${plan.uid}/${name}/${number}`;
      // Behind what it was made of: its image then, which may have been exchanged since.
      const made = fourth === "" || fourth === "-" ? image : fourth;
      const current: Attempt = { attempt: number, id, imageID: "", image: made, state: "created" };
      const record = own(({ current: previous, crash }) => ({
        ...(previous && { previous }),
        ...(crash && { crash }),
        current,
      }));
      return told(record, eventTexts.created(name));
    }
    case "started": {
      const record = change((attempt) =>
        attempt.state === "created"
          ? { ...attempt, state: "running", startedAt: milliseconds(third) ?? at }
          : attempt,
      );
      return record === folded.record ? folded : told(record, eventTexts.started(name));
    }
    case "post-start":
      return is(change((attempt) => ({ ...attempt, postStartDone: true })));
    case "startup":
      return is(change((attempt) => ({ ...attempt, startupDone: true })));
    case "ready":
    case "unready":
      return is(change((attempt) => ({ ...attempt, ready: word === "ready" })));
    case "unhealthy":
      return third === "startup" || third === "liveness" || third === "readiness"
        ? told(folded.record, eventTexts.unhealthy(name, third, decoded(fourth)))
        : folded;
    case "hook-failed":
      return told(
        folded.record,
        third === "preStop" ? eventTexts.preStopFailed(name) : eventTexts.postStartFailed(name),
      );
    case "stopping": {
      const stopReason = STOP_REASONS.find((known) => known === third) ?? "delete";
      const stop = { reason: stopReason, deadline: at + plan.graceSeconds * 1000 };
      return told(
        change((attempt) => ({ ...attempt, stop })),
        eventTexts.killing(name, stopReason),
      );
    }
    case "exited": {
      const exitCode = wholeNumber(third);
      if (exitCode === undefined) return folded;
      return is(
        change((attempt) =>
          attempt.state === "exited"
            ? attempt
            : ended(
                attempt,
                { exitCode, reason, message: decoded(message) },
                milliseconds(fourth) ?? at,
              ),
        ),
      );
    }
    case "waiting": {
      const delayMs = wholeNumber(third);
      if (delayMs === undefined) return folded;
      const record = own((before) => ({ ...before, crash: { delayMs, updatedAt: at } }));
      return told(record, eventTexts.crashBackOff(plan, name));
    }
    default:
      return folded;
  }
}

const STOP_REASONS: readonly StopReason[] = [
  "delete",
  "finished",
  "liveness",
  "startup",
  "postStart",
  "changed",
];

function ended(
  attempt: Attempt,
  { exitCode, reason, message }: { exitCode: number; reason: string; message: string },
  finishedAt: number,
): Attempt {
  const { startedAt } = attempt;
  return {
    ...attempt,
    state: "exited",
    exitCode,
    reason: reason || "Error",
    ...(message !== "" && { message }),
    ...(startedAt !== undefined && { startedAt: Math.min(startedAt, finishedAt) }),
    finishedAt,
    ...(reason === "StartError" && { startFailed: true }),
  };
}

/** Text in base64; `-` is none. */
function decoded(field: string): string {
  return field === "-" ? "" : Buffer.from(field, "base64").toString("utf8");
}

/** Seconds since the epoch with a fraction, as milliseconds. */
function milliseconds(field: string | undefined): number | undefined {
  if (field === undefined || !/^\d{1,11}(\.\d{1,9})?$/.test(field)) return undefined;
  return Math.trunc(Number(field) * 1000);
}

function wholeNumber(field: string): number | undefined {
  return /^\d{1,12}$/.test(field) ? Number(field) : undefined;
}
