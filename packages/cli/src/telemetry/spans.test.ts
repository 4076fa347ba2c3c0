import { type Provider, servePlugin } from "@interlink/plugin-sdk";
import {
  createInterlinkClient,
  type PodCreateRequest,
  type RemotePodStatus,
  type RetrievedPodData,
} from "@interlink/protocol";
import { startServer } from "@interlink/server";
import { context, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { type Logger, pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";

const UID = "4f6c1a1e-0d5a-4d0e-9c0b-2b7c1de0a001";
const exporter = new InMemorySpanExporter();
const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const logger = pino({ level: "silent" }) as Logger;

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
});
afterAll(async () => {
  context.disable();
  propagation.disable();
  await tracers.shutdown();
});

const START = Date.now() + 1000;
const CREATED_AT = START - 5_000;
const at = (milliseconds: number) => new Date(milliseconds).toISOString();

const ended: RemotePodStatus = {
  UID,
  name: "hello",
  namespace: "default",
  JID: "job-7",
  containers: [
    {
      name: "main",
      image: "busybox",
      imageID: "",
      ready: false,
      restartCount: 0,
      state: {
        terminated: {
          exitCode: 3,
          startedAt: at(START),
          finishedAt: at(START + 2_000),
        },
      },
    },
  ],
  initContainers: [],
};

test("one create is one trace: the caller's span, the API server's, the plugin's, the job's", async () => {
  let tell: (status: RemotePodStatus) => void = () => undefined;
  let created: RetrievedPodData["pod"] = {};
  const provider: Provider = {
    name: "fake",
    features: ["status-stream"],
    create: async (data) => {
      created = data.pod;
      return { PodUID: UID, PodJID: "job-7" };
    },
    created: (uid) => (uid === UID ? { pod: created, at: CREATED_AT } : undefined),
    delete: async () => {},
    status: async () => [],
    logs: async function* () {},
    subscribe(listener) {
      tell = (status) => listener.status(status);
      return () => undefined;
    },
  };
  const listen = { host: "127.0.0.1", port: 0 };
  const tracer = (name: string) => tracers.getTracer(name);
  await using plugin = await servePlugin(provider, { listen, logger, tracer: tracer("plugin") });
  await using server = await startServer({
    listen,
    plugin: { address: plugin.address },
    logger,
    tracer: tracer("server"),
  });
  await using client = createInterlinkClient({ address: server.address, peer: "server" });
  const pod = {
    metadata: { name: "hello", namespace: "default", uid: UID },
    spec: { containers: [{ name: "main", image: "busybox" }] },
  };
  const request: PodCreateRequest = {
    pod,
    configmaps: [],
    secrets: [],
    projectedvolumesmaps: [],
    jobscriptURL: "",
  };
  const above = tracer("node").startSpan("CreateHttpCall");
  await context.with(trace.setSpan(context.active(), above), () => client.create(request));
  tell(ended);
  above.end();
  await expect.poll(() => exporter.getFinishedSpans().length, { timeout: 20_000 }).toBe(6);

  const spans = new Map(exporter.getFinishedSpans().map((span) => [span.name, span]));
  const parents = ["JobRun", "JobQueue", "Job", "Create", "CreateAPI", "CreateHttpCall"].map(
    (name) => {
      const span = spans.get(name);
      expect(span?.spanContext().traceId).toBe(above.spanContext().traceId);
      const parent = span?.parentSpanContext?.spanId;
      return [...spans.values()].find((one) => one.spanContext().spanId === parent)?.name;
    },
  );
  expect(parents).toEqual(["Job", "Job", "Create", "CreateAPI", "CreateHttpCall", undefined]);
  const about = { "pod.name": "hello", "pod.namespace": "default", "pod.uid": UID };
  expect(spans.get("CreateAPI")?.attributes).toMatchObject({
    ...about,
    "exit.code": 200,
    "X-Forwarded-User": "unknown",
    duration: expect.any(Number),
    "start.timestamp": expect.any(Number),
    "end.timestamp": expect.any(Number),
  });
  expect(spans.get("Create")?.attributes).toMatchObject({
    ...about,
    "job.id": "job-7",
    "job.container0.name": "main",
    "job.container0.isinit": false,
    "job.container0.image": "busybox",
  });
  expect(spans.get("Job")?.attributes).toMatchObject({
    ...about,
    "job.id": "job-7",
    "exit.code": 3,
    duration: 7_000_000,
    "job.queue.duration": 5_000_000,
    "job.run.duration": 2_000_000,
  });
  expect(spans.get("JobQueue")?.attributes).toMatchObject({ ...about, duration: 5_000_000 });
  expect(spans.get("JobRun")?.attributes).toMatchObject({
    ...about,
    duration: 2_000_000,
    "exit.code": 3,
  });
}, 60_000);
