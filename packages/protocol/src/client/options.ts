/** Certificates and keys as PEM text. */
export interface TlsOptions {
  /** Trusted instead of the system's authorities. */
  ca?: string | Buffer;
  /** Client certificate and its key, for peers that ask for one. */
  cert?: string | Buffer;
  key?: string | Buffer;
  /** Name to verify when it differs from the address. */
  serverName?: string;
  /** Accepts any certificate. For trials only. */
  insecure?: boolean;
}

/** A file that holds the token (read again at every call, white space trimmed), or a function that gives it. */
export type TokenSource = { file: string } | (() => string | Promise<string>);

/** Deadlines in milliseconds, each for a whole call: connection, request, answer. */
export interface Deadlines {
  create: number;
  update: number;
  delete: number;
  status: number;
  ping: number;
  capabilities: number;
  updateCache: number;
  stats: number;
  /** Until the headers of a log or any other stream; the stream itself has none. Not applied to `Follow`. */
  streamHeaders: number;
}

/** What a client goes by that is told nothing else. */
export const DEFAULT_DEADLINES: Readonly<Deadlines> = {
  create: 120_000,
  update: 60_000,
  delete: 60_000,
  status: 60_000,
  ping: 15_000,
  capabilities: 10_000,
  updateCache: 10_000,
  stats: 30_000,
  streamHeaders: 30_000,
};

/** Which peer a client speaks to, and how patient it is with it. */
export interface InterlinkClientOptions {
  /** `http://host:port`, `https://host:port`, `unix:///path`. */
  address: string;
  /** Who answers there: an API server (DELETE /delete, POST /pinglink) or a plugin (POST /delete, GET /status `[]`). */
  peer: "server" | "plugin";
  tls?: TlsOptions;
  /** Bearer token. Existing peers use one between virtual node and API server only. */
  token?: TokenSource;
  deadlines?: Partial<Deadlines>;
  /** Time to connect, in milliseconds. Default 5,000. */
  connectTimeoutMs?: number;
  /** Connections for calls. Streams have their own. Default 64. */
  connections?: number;
  /** Largest answer that is read, in bytes. Default 256 MiB. */
  maxAnswerBytes?: number;
  /** Longest line of the status stream, in bytes. Default 4 MiB. */
  maxLineBytes?: number;
  /** Time for the words of an error after its headers, in milliseconds; a followed log has no other deadline. Default 5,000. */
  errorBodyMs?: number;
  /** A status stream that is silent for so long is broken. Default: three heartbeats. */
  streamSilenceMs?: number;
  /** Between pings on an interactive stream, in milliseconds; three without any sign of the peer end it. Default 20,000. */
  streamPingMs?: number;
  /** `User-Agent`. Default `interlink`. */
  userAgent?: string;
}

/** What one call may say for itself. */
export interface CallOptions {
  /** Fires when the caller is no longer interested. */
  signal?: AbortSignal;
  /** Value of `InterLink-Http-Session`: the id that the caller was given. Made when absent: `<Op>#<uuid>`. */
  requestId?: string;
  /** Instead of the operation's deadline, in milliseconds. */
  timeoutMs?: number;
}
