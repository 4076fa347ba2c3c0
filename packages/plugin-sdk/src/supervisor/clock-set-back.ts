import type { BackOff } from "./back-off.ts";
import type { Attempt, ContainerRecord, PodRecord } from "./record.ts";
import { containerRecord, withContainer } from "./record.ts";

/** Longest wait for another try to make a container, with its jitter. */
const LONGEST_PROBLEM_MS = 15_000;

/**
 * The record once the wall clock was set back (a time server, a machine that came up with a wrong clock): what has
 * happened cannot lie ahead, so it counts as happened now. Otherwise back-offs and graces would last longer by as much
 * as the clock was set back. Returns the same object when nothing lies ahead.
 */
export function withoutFuture(record: PodRecord, now: number): PodRecord {
  let next = record;
  for (const name of Object.keys(record.containers)) {
    next = withContainer(next, name, () => ofContainer(containerRecord(record, name), now));
  }
  const { deletion } = record;
  if (deletion === undefined || deletion.requestedAt <= now) return next;
  const deadline = deletion.deadline - (deletion.requestedAt - now);
  return { ...next, deletion: { requestedAt: now, deadline } };
}

function ofContainer(container: ContainerRecord, now: number): ContainerRecord {
  const { current, crash, image, problem } = container;
  const changed = {
    ...(current && isAhead(current, now) && { current: endedBy(current, now) }),
    ...(crash && crash.updatedAt > now && { crash: raisedBy(crash, now) }),
    ...(image &&
      image.backOff.updatedAt > now && {
        image: { ...image, backOff: raisedBy(image.backOff, now) },
      }),
    ...(problem &&
      problem.retryAt > now + LONGEST_PROBLEM_MS && {
        problem: { ...problem, retryAt: now + LONGEST_PROBLEM_MS },
      }),
  };
  return Object.keys(changed).length === 0 ? container : { ...container, ...changed };
}

function isAhead({ finishedAt }: Attempt, now: number): boolean {
  return finishedAt !== undefined && finishedAt > now;
}

function endedBy(attempt: Attempt, now: number): Attempt {
  const { startedAt } = attempt;
  return {
    ...attempt,
    ...(startedAt !== undefined && { startedAt: Math.min(startedAt, now) }),
    finishedAt: now,
  };
}

function raisedBy(backOff: BackOff, now: number): BackOff {
  return { ...backOff, updatedAt: now };
}
