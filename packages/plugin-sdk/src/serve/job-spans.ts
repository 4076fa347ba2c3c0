import type { RemotePodStatus } from "@interlink/protocol";
import { type Attributes, type Context, SpanKind, type Tracer } from "@opentelemetry/api";

/** Most jobs that are waited for; the oldest goes first. */
const MAX_JOBS = 100_000;

/** Spans of jobs: from the start of a pod's first container to the end of its last, below the span of its create. */
export class JobSpans {
  private readonly created = new Map<string, { above: Context; attributes: Attributes }>();
  private readonly tracer: Tracer;

  constructor(tracer: Tracer) {
    this.tracer = tracer;
  }

  /** A job was made within this context. */
  make(uid: string, above: Context, attributes: Attributes): void {
    const [oldest] = this.created.keys();
    if (oldest !== undefined && this.created.size >= MAX_JOBS) this.created.delete(oldest);
    this.created.set(uid, { above, attributes });
  }

  /** If it has ended, its span is sent. */
  saw(status: RemotePodStatus): void {
    const job = this.created.get(status.UID);
    if (job === undefined) return;
    const ends = [...status.initContainers, ...status.containers].flatMap(
      ({ state }) => state?.terminated ?? [],
    );
    const times = (values: readonly (string | undefined)[]) =>
      values.map((value) => Date.parse(value ?? "")).filter((time) => Number.isFinite(time));
    const isOver =
      status.containers.length > 0 && status.containers.every(({ state }) => state?.terminated);
    if (!isOver) return;
    this.created.delete(status.UID);
    const starts = times(ends.map(({ startedAt }) => startedAt));
    const finishes = times(ends.map(({ finishedAt }) => finishedAt));
    if (starts.length === 0 || finishes.length === 0) return;
    const startTime = Math.min(...starts);
    const endTime = Math.max(startTime, ...finishes);
    const span = this.tracer.startSpan("Job", { kind: SpanKind.INTERNAL, startTime }, job.above);
    span.setAttributes({
      ...job.attributes,
      "start.timestamp": startTime * 1000,
      "end.timestamp": endTime * 1000,
      duration: (endTime - startTime) * 1000,
      "exit.code": Math.max(0, ...ends.map(({ exitCode }) => exitCode)),
    });
    span.end(endTime);
  }

  forget(uid: string): void {
    this.created.delete(uid);
  }
}
