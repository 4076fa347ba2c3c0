import { CliError } from "../cli-error.ts";

/** Where spans are sent, as the environment says it (reference: wire and node, 2.3). */
export interface TelemetrySettings {
  /** What stands behind the name of the service. */
  uniqueId: string | undefined;
  /** OTLP over gRPC (`host:port`), or over HTTP (a URL). */
  endpoint: { protocol: "grpc"; target: string } | { protocol: "http"; url: string };
  /** Names of PEM files. With an authority: mutual TLS. */
  files: { ca: string; cert: string; key: string } | undefined;
  /** TLS, and any certificate is taken. */
  insecureSkipVerify: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether spans are to be sent: `ENABLE_TRACING` is exactly 1, as existing programs want it. */
export function isTracing(env: Environment): boolean {
  return env["ENABLE_TRACING"] === "1";
}

/** Throws `CliError` `usage` for what contradicts itself. */
export function telemetrySettings(env: Environment): TelemetrySettings {
  const given = (name: string) => (env[name] === "" ? undefined : env[name]);
  const ca = given("TELEMETRY_CA_CRT_FILEPATH");
  const cert = given("TELEMETRY_CLIENT_CRT_FILEPATH");
  const key = given("TELEMETRY_CLIENT_KEY_FILEPATH");
  if (ca !== undefined && (!ca.startsWith("/") || ca.split("/").includes(".."))) {
    throw new CliError("usage", "TELEMETRY_CA_CRT_FILEPATH: give an absolute path without `..`.");
  }
  if (ca !== undefined && (cert === undefined || key === undefined)) {
    throw new CliError(
      "usage",
      "With TELEMETRY_CA_CRT_FILEPATH give TELEMETRY_CLIENT_CRT_FILEPATH and TELEMETRY_CLIENT_KEY_FILEPATH too.",
    );
  }
  return {
    uniqueId: given("TELEMETRY_UNIQUE_ID"),
    endpoint: endpointOf(given("TELEMETRY_ENDPOINT") ?? "localhost:4317"),
    files:
      ca === undefined || cert === undefined || key === undefined ? undefined : { ca, cert, key },
    insecureSkipVerify: env["TELEMETRY_INSECURE_SKIP_VERIFY"] === "true",
  };
}

/** A URL is OTLP over HTTP, and gets the path of traces unless it has one. */
function endpointOf(text: string): TelemetrySettings["endpoint"] {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) {
    const url = new URL(text);
    if (url.pathname === "/") url.pathname = "/v1/traces";
    return { protocol: "http", url: url.href };
  }
  if (/^[^\s/]+:\d{1,5}$/.test(text)) return { protocol: "grpc", target: text };
  throw new CliError(
    "usage",
    `TELEMETRY_ENDPOINT: "${text}" is neither host:port (OTLP over gRPC) nor http(s)://… (OTLP over HTTP).`,
  );
}
