import type { Authenticate } from "@interlink/protocol";
import type { Tracer } from "@opentelemetry/api";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { LogScope } from "./log-scope.ts";

/** Certificates as PEM text. */
export interface PluginTls {
  cert: string | Buffer;
  key: string | Buffer;
  /** Callers must show a certificate of this authority, or their connection is refused. */
  clientCa?: string | Buffer;
}

/** Where a plugin listens. */
export type ListenAddress =
  | { host: string; port: number; tls?: PluginTls }
  /** A unix socket, mode 0600 unless said otherwise: whoever may write to it may run pods. */
  | { unixSocket: string; mode?: number };

/** Deadlines in milliseconds for what a provider does; its `AbortSignal` fires then, and the caller hears 503. */
export interface CallDeadlines {
  create: number;
  update: number;
  delete: number;
  status: number;
  ping: number;
  /** Until an exec, attach or port-forward has begun. */
  open: number;
  stats: number;
}

/** Just below the time after which API servers hang up (existing ones: 120 s), so that the caller learns why. */
export const DEFAULT_CALL_DEADLINES: CallDeadlines = {
  create: 110_000,
  update: 50_000,
  delete: 110_000,
  status: 60_000,
  ping: 20_000,
  open: 28_000,
  stats: 20_000,
};

/** Where a plugin listens, who may call it, and how much it takes on. */
export interface ServePluginOptions {
  listen: ListenAddress;
  logger: Logger;
  /** Of the program, e.g. `0.1.0`; told in `/capabilities`. */
  version?: string;
  /** Who may call; `/healthz`, `/readyz` and `/metrics` are not asked about. Default: everyone who can reach the address. */
  authenticate?: Authenticate;
  /** Has a span for every call, and for every job that is made here. Default: none has. */
  tracer?: Tracer;
  /** Told of every call, so that the log says in each line which call it is due to. Default: only the lines here do. */
  scope?: LogScope;
  /** Ends the start (`provider.start`), not what is served. */
  signal?: AbortSignal;
  /** Largest body that is read, in bytes; four times as much for status, which holds whole pods. Default 32 MiB. */
  bodyLimitBytes?: number;
  deadlines?: Partial<CallDeadlines>;
  /** Streams of exec, attach and port-forward open at the same time. Default 500. */
  interactiveStreams?: number;
  /** How long `close()` waits for calls under way before it cuts them off. Default 10 s. */
  drainMs?: number;
  /** The plugin's own metrics go along on `/metrics`. Default: a registry of its own. */
  registry?: Registry;
  /** Between heartbeats of the status stream, in milliseconds. Default 9 s. */
  heartbeatMs?: number;
}

/** A plugin that answers. */
export interface RunningPlugin extends AsyncDisposable {
  /** What an API server is given: `http://127.0.0.1:4000` or `unix:///run/plugin.sock`. */
  readonly address: string;
  /** Stop answering, let calls under way finish, close the provider. Jobs go on running. Idempotent. */
  close(): Promise<void>;
}
