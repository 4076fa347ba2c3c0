import { writeRetrievedPodData } from "@interlink/protocol";
import { type Context, type Span, type SpanOptions, type Tracer, trace } from "@opentelemetry/api";
import type { Pod } from "kubernetes-types/core/v1.js";
import { request } from "undici";
import { expect, test } from "vitest";
import { FakeProvider } from "../testing/fake-provider.ts";
import { podData } from "../testing/pod-data.ts";
import { silentLogger } from "../testing/recording-logger.ts";
import { JobSpans } from "./job-spans.ts";
import { traceOf, traceVariables, WANTS_TRACE_ANNOTATION, withTrace } from "./job-trace.ts";
import { servePlugin } from "./serve-plugin.ts";

const UID = "9d3b5e0e-0000-4000-8000-000000000001";
const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const given = { traceparent, tracestate: "vendor=1" };

function aPod(annotations: Record<string, string> = {}, env?: { name: string; value: string }[]) {
  const main = { name: "main", image: "busybox", ...(env && { env }) };
  const data = podData(UID, { initContainers: [{ name: "init" }], containers: [main] });
  return { ...data, pod: { ...data.pod, metadata: { ...data.pod.metadata, annotations } } };
}
const environments = (pod: Pod) =>
  [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(({ env }) => env);

test("a pod keeps its trace, and its containers the environment that they declare", () => {
  const env = [{ name: "A", value: "1" }];
  const { pod } = withTrace(aPod({ own: "kept" }, env), given);
  expect(traceOf(pod)).toEqual(given);
  expect(pod.metadata?.annotations).toMatchObject({ own: "kept" });
  expect(environments(pod)).toEqual([undefined, env]);
});

test("a pod that asks for it has its trace in every container, where none is declared", () => {
  const env = [{ name: "TRACESTATE", value: "mine=1" }];
  const { pod } = withTrace(aPod({ [WANTS_TRACE_ANNOTATION]: "true" }, env), given);
  const told = { name: "TRACEPARENT", value: traceparent };
  expect(environments(pod)).toEqual([
    [told, { name: "TRACESTATE", value: "vendor=1" }],
    [told, ...env],
  ]);
});

test("a pod cannot say itself which trace it is in", () => {
  const { pod } = withTrace(aPod({ [WANTS_TRACE_ANNOTATION]: "true" }), given);
  const forged = { ...podData(UID), pod: { ...pod, spec: { containers: [{ name: "main" }] } } };
  const out = withTrace(forged, undefined).pod;
  expect(traceOf(out)).toBeUndefined();
  expect(environments(out)).toEqual([undefined]);
  expect(traceVariables(traceOf(out))).toEqual([]);
});

test("a plugin that writes no spans still hands its caller's trace to the job", async () => {
  const provider = new FakeProvider();
  let seen: Pod = {};
  provider.onCreate = async ({ pod }) => {
    seen = pod;
    return { PodUID: UID, PodJID: "17" };
  };
  await using plugin = await servePlugin(provider, {
    listen: { host: "127.0.0.1", port: 0 },
    logger: silentLogger,
  });
  const create = (headers: Record<string, string>) =>
    request(`${plugin.address}/create`, {
      method: "POST",
      headers,
      body: writeRetrievedPodData(aPod()),
    }).then(({ body }) => body.dump());
  await create(given);
  expect(traceOf(seen)).toEqual(given);
  await create({ traceparent: "00-nonsense" });
  expect(traceOf(seen)).toBeUndefined();
});

/** Keeps what is told of spans; each has its number as id. */
function recordingTracer() {
  const spans: { name: string; from: unknown; to?: unknown; above: unknown }[] = [];
  const startSpan = (name: string, { startTime }: SpanOptions = {}, above?: Context): Span => {
    const parent = above && trace.getSpanContext(above);
    const told: (typeof spans)[number] = { name, from: startTime, above: parent?.spanId };
    spans.push(told);
    const context = { ...parent, spanId: String(spans.length), traceFlags: 1 };
    const span = trace.wrapSpanContext({ traceId: "", ...context });
    span.end = (at) => {
      told.to = at;
    };
    return span;
  };
  return { tracer: { startSpan } as unknown as Tracer, spans };
}

function endedStatus(start: number, end: number) {
  const at = (milliseconds: number) => new Date(milliseconds).toISOString();
  const terminated = { exitCode: 0, startedAt: at(start), finishedAt: at(end) };
  const main = { name: "main", image: "", imageID: "", ready: false, restartCount: 0 };
  return {
    UID,
    name: "p",
    namespace: "default",
    JID: "17",
    initContainers: [],
    containers: [{ ...main, state: { terminated } }],
  };
}

test("a job of an earlier life is told when it ends, once, and one that had ended is not", () => {
  const { pod } = withTrace(aPod(), given);
  const created = () => ({ pod, at: 1_000 });
  const { tracer, spans } = recordingTracer();
  const life = new JobSpans(tracer, { created }, 8_000);
  const status = endedStatus(5_000, 9_000);
  life.saw({ ...status, containers: [] });
  expect(spans).toEqual([]);
  life.saw(status);
  life.saw(status);
  expect(spans).toEqual([
    { name: "Job", from: 1_000, to: 9_000, above: "b7ad6b7169203331" },
    { name: "JobQueue", from: 1_000, to: 5_000, above: "1" },
    { name: "JobRun", from: 5_000, to: 9_000, above: "1" },
  ]);
  const later = recordingTracer();
  new JobSpans(later.tracer, { created }, 9_001).saw(status);
  expect(later.spans).toEqual([]);
});
