import { podAttributes, type RemotePodStatus, spanContextOf } from "@interlink/protocol";
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { Provider } from "../provider.ts";
import { traceOf } from "./job-trace.ts";

/** Most ended jobs that are remembered as told; of the oldest nobody speaks any more. */
const MAX_TOLD = 100_000;

/**
 * Spans of jobs, below the span of their pod's create: `Job` from then to the end of the last container, and in it
 * `JobQueue` until the first container starts, and `JobRun`. A job made in an earlier life of this process is told as
 * well, because its pod keeps the trace.
 */
export class JobSpans {
  /** Jobs whose end was told, or had come before this life. */
  readonly #told = new Set<string>();
  readonly #tracer: Tracer;
  readonly #provider: Pick<Provider, "created">;
  readonly #since: number;

  /** `since`: from when on this process tells ends, in milliseconds since the epoch. */
  constructor(tracer: Tracer, provider: Pick<Provider, "created">, since: number) {
    this.#tracer = tracer;
    this.#provider = provider;
    this.#since = since;
  }

  /** If it has ended, its spans are sent. */
  saw(status: RemotePodStatus): void {
    const times = runTimes(status);
    if (times === undefined || this.#told.has(status.UID)) return;
    this.#remember(status.UID);
    const created = this.#provider.created?.(status.UID);
    const above = created && traceOf(created.pod);
    if (created === undefined || above === undefined || times.end < this.#since) return;
    const createdAt = Math.min(created.at, times.start);
    const failed = times.exitCode !== 0;
    const about = { ...podAttributes(created.pod), "job.id": status.JID };
    const parent = trace.setSpanContext(ROOT_CONTEXT, spanContextOf(above));
    const inside = this.#tell(
      "Job",
      parent,
      createdAt,
      times.end,
      {
        ...about,
        "exit.code": times.exitCode,
        "job.queue.duration": (times.start - createdAt) * 1000,
        "job.run.duration": (times.end - times.start) * 1000,
      },
      failed,
    );
    this.#tell("JobQueue", inside, createdAt, times.start, about);
    this.#tell(
      "JobRun",
      inside,
      times.start,
      times.end,
      { ...about, "exit.code": times.exitCode },
      failed,
    );
  }

  forget(uid: string): void {
    this.#told.delete(uid);
  }

  #tell(
    name: string,
    above: Context,
    startTime: number,
    endTime: number,
    attributes: Attributes,
    failed = false,
  ): Context {
    const span = this.#tracer.startSpan(name, { kind: SpanKind.INTERNAL, startTime }, above);
    span.setAttributes({
      ...attributes,
      "start.timestamp": startTime * 1000,
      "end.timestamp": endTime * 1000,
      duration: (endTime - startTime) * 1000,
    });
    if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(endTime);
    return trace.setSpan(above, span);
  }

  #remember(uid: string): void {
    const [oldest] = this.#told;
    if (oldest !== undefined && this.#told.size >= MAX_TOLD) this.#told.delete(oldest);
    this.#told.add(uid);
  }
}

/** Of a pod whose containers have all ended: milliseconds since the epoch, and the largest exit code. */
function runTimes(
  status: RemotePodStatus,
): { start: number; end: number; exitCode: number } | undefined {
  const isOver =
    status.containers.length > 0 && status.containers.every(({ state }) => state?.terminated);
  if (!isOver) return undefined;
  const ends = [...status.initContainers, ...status.containers].flatMap(
    ({ state }) => state?.terminated ?? [],
  );
  const times = (values: readonly (string | undefined)[]) =>
    values.map((value) => Date.parse(value ?? "")).filter((time) => Number.isFinite(time));
  const starts = times(ends.map(({ startedAt }) => startedAt));
  const finishes = times(ends.map(({ finishedAt }) => finishedAt));
  if (starts.length === 0 || finishes.length === 0) return undefined;
  const start = Math.min(...starts);
  return {
    start,
    end: Math.max(start, ...finishes),
    exitCode: Math.max(0, ...ends.map(({ exitCode }) => exitCode)),
  };
}
