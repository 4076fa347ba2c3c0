import { credentials } from "@grpc/grpc-js";
import { Repeats } from "@interlink/protocol";
import { context, DiagLogLevel, diag, propagation, type Tracer } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as HttpExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
} from "@opentelemetry/sdk-trace-base";
import type { Logger } from "pino";
import { neededFile } from "../needed-file.ts";
import type { TelemetrySettings } from "./telemetry-settings.ts";

/** Spans that are sent. */
export interface Tracing {
  tracer(name: string): Tracer;
  /** Sends what is left, for at most so many milliseconds. */
  close(milliseconds: number): Promise<void>;
}

/** A collector that is away is told of so often. */
const PROBLEM_EVERY_MS = 60_000;

/** Every span is sent, in batches; while the collector is away they are dropped, and nothing waits. */
export async function createTracing(
  settings: TelemetrySettings,
  serviceName: string,
  version: string,
  logger: Logger,
): Promise<Tracing> {
  tellProblems(logger);
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": serviceName, "service.version": version }),
    spanProcessors: [new BatchSpanProcessor(await exporterOf(settings))],
  });
  // Process-wide, as OpenTelemetry has it: by these the wire's headers are written and read.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  return {
    tracer: (name) => provider.getTracer(name, version),
    async close(milliseconds) {
      let timer: NodeJS.Timeout | undefined;
      const timeUp = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, milliseconds);
      });
      await Promise.race([provider.shutdown().catch(() => undefined), timeUp]);
      clearTimeout(timer);
      // What is process-wide is this one's as long as it lives, and no longer.
      context.disable();
      propagation.disable();
      diag.disable();
    },
  };
}

async function exporterOf(settings: TelemetrySettings): Promise<SpanExporter> {
  const { endpoint, files, insecureSkipVerify } = settings;
  const pem = files && {
    ca: await neededFile(files.ca, "TELEMETRY_CA_CRT_FILEPATH"),
    cert: await neededFile(files.cert, "TELEMETRY_CLIENT_CRT_FILEPATH"),
    key: await neededFile(files.key, "TELEMETRY_CLIENT_KEY_FILEPATH"),
  };
  if (endpoint.protocol === "http") {
    const tls = { ...pem, rejectUnauthorized: !insecureSkipVerify };
    return new HttpExporter({ url: endpoint.url, httpAgentOptions: { keepAlive: true, ...tls } });
  }
  const bytes = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
  const tls = pem !== undefined || insecureSkipVerify;
  return new GrpcExporter({
    url: `${tls ? "https" : "http"}://${endpoint.target}`,
    credentials: tls
      ? credentials.createSsl(bytes(pem?.ca), bytes(pem?.key), bytes(pem?.cert), {
          rejectUnauthorized: !insecureSkipVerify,
        })
      : credentials.createInsecure(),
  });
}

function tellProblems(logger: Logger): void {
  const repeats = new Repeats(PROBLEM_EVERY_MS, () => performance.now());
  const tell = (reason: string): void => {
    const before = repeats.count("spans");
    if (before !== undefined) logger.warn({ reason, before }, "spans cannot be sent");
  };
  const nothing = (): void => {};
  diag.setLogger(
    { error: tell, warn: tell, info: nothing, debug: nothing, verbose: nothing },
    DiagLogLevel.WARN,
  );
}
