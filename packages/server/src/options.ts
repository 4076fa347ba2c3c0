import type {
  Authenticate,
  InterlinkClient,
  InterlinkClientOptions,
  RateLimitOptions,
} from "@interlink/protocol";
import type { Tracer } from "@opentelemetry/api";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Checkpoint } from "./checkpoints.ts";
import type { JobScriptBuilder } from "./job-script/job-script-builder.ts";
import type { SeveralPluginsOptions } from "./plugin/several/several-options.ts";

/** Certificates as PEM text. */
export interface ServerTls {
  cert: string | Buffer;
  key: string | Buffer;
  /** Callers must show a certificate of this authority, or their connection is refused. */
  clientCa?: string | Buffer;
}

/** Where the server listens. */
export type ListenOptions =
  | { host: string; port: number; tls?: ServerTls }
  /** `mode` of the socket file, default 0o660. A stale socket file is replaced, a live one is an error. */
  | { unixSocket: string; mode?: number };

/** Bounds that keep one caller from taking everything. */
export interface ServerLimits {
  /** Bytes of a create body (the pod and its ConfigMaps and Secrets). Default 32 MiB. */
  createBytes: number;
  /** Bytes of a status body (whole pods, thousands of them). Default 128 MiB. */
  statusBytes: number;
  /** Bytes of any other body. Default 4 MiB. */
  otherBytes: number;
  /** Connections open at the same time; more are closed at once. Default 8,192. */
  connections: number;
  /** Requests in work at the same time, streams not counted. Default 2,000. */
  requests: number;
  /** Streams of any kind open at the same time. Default 2,000. */
  streams: number;
  /** Milliseconds in which a request's bytes must have arrived. Default 30,000. */
  requestMs: number;
  /** Milliseconds that close() waits for requests in work before it cuts them. Default 10,000. */
  closeMs: number;
  /** Milliseconds after which a followed log answers its caller although the plugin still says nothing. Default 2,000. */
  followHeadersMs: number;
}

/** What {@link ServerLimits} says of each. */
export const DEFAULT_LIMITS: Readonly<ServerLimits> = {
  createBytes: 32 * 1024 * 1024,
  statusBytes: 128 * 1024 * 1024,
  otherBytes: 4 * 1024 * 1024,
  connections: 8_192,
  requests: 2_000,
  streams: 2_000,
  requestMs: 30_000,
  closeMs: 10_000,
  followHeadersMs: 2_000,
};

/** Everything that an API server can be told; it needs a place to listen, a plugin and a logger. */
export interface ServerOptions {
  listen: ListenOptions;
  /** The plugin: a client that the caller owns and closes, or how to reach it; or several, by name. */
  plugin: InterlinkClient | Omit<InterlinkClientOptions, "peer"> | SeveralPluginsOptions;
  logger: Logger;
  limits?: Partial<ServerLimits>;
  /** Name and version told in `/capabilities`. Default `interlink-server`. */
  agent?: string;
  /** Where the metrics go. Default: a registry of the server's own. */
  registry?: Registry;
  /** Who may call. Default: everyone who can reach the port. */
  authenticate?: Authenticate;
  /** Requests of each caller, by name or else by address; more are answered 429. Default: as many as it likes. */
  rateLimit?: Omit<RateLimitOptions, "now">;
  /** Has a span for every request. Default: none has. */
  tracer?: Tracer;
  /** Serves `jobscriptURL`. Default: such a request is refused with a sentence. */
  jobScriptBuilder?: JobScriptBuilder;
  checkpoint?: (name: Checkpoint) => void;
}

/** What every route is handed. */
export interface ServerContext {
  readonly plugin: InterlinkClient;
  readonly logger: Logger;
  readonly limits: Readonly<ServerLimits>;
  readonly agent: string;
  readonly jobScriptBuilder: JobScriptBuilder | undefined;
  readonly checkpoint: (name: Checkpoint) => void;
  /** Fires when the server closes: streams end at once. */
  readonly closing: AbortSignal;
  /** Fires when closing has taken too long: calls end too. */
  readonly cut: AbortSignal;
}
