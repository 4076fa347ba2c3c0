import { randomUUID } from "node:crypto";
import type { Tracer } from "@opentelemetry/api";
import type { Logger } from "pino";
import { readVersion } from "../version.ts";
import { isTracing, telemetrySettings } from "./telemetry-settings.ts";

/** Names of services and tracers as the existing programs have them (reference: wire and node, section 9). */
const NAMES = {
  node: { service: "VK-InterLink", tracer: "interlink-service" },
  server: { service: "InterLink-Plugin", tracer: "interlink-API" },
  plugin: { service: "Plugin", tracer: "interlink-API" },
} as const;

/** How a process is watched. */
export interface Telemetry extends AsyncDisposable {
  /** Absent: no spans are sent. */
  tracer?: Tracer;
}

/** A profiler where one is wanted, else nothing, and then not even its code is loaded. Throws `CliError` `busy`. */
export async function profilerAt(
  place: { address: string; port: number } | undefined,
  logger: Logger,
): Promise<AsyncDisposable> {
  if (place === undefined) return { [Symbol.asyncDispose]: async () => {} };
  const { startProfiler } = await import("./profiler.ts");
  return startProfiler({ ...place, logger });
}

/** What a process that is to end waits for its last spans, milliseconds. */
const LAST_MS = 3_000;

/**
 * Sends spans as the environment says it, or nothing: then not even the code for it is loaded. Throws `CliError` `usage`
 * for variables that contradict each other or name files that are not there.
 */
export async function startTelemetry(
  role: keyof typeof NAMES,
  env: Readonly<Record<string, string | undefined>>,
  logger: Logger,
): Promise<Telemetry> {
  if (!isTracing(env)) return { [Symbol.asyncDispose]: async () => {} };
  const settings = telemetrySettings(env);
  const { createTracing } = await import("./tracing.ts");
  const { service, tracer } = NAMES[role];
  const serviceName = `${service}-${settings.uniqueId ?? randomUUID()}`;
  const tracing = await createTracing(settings, serviceName, readVersion(), logger);
  logger.info({ service: serviceName, ...settings.endpoint }, "spans are sent");
  return {
    tracer: tracing.tracer(tracer),
    async [Symbol.asyncDispose]() {
      await tracing.close(LAST_MS);
    },
  };
}
