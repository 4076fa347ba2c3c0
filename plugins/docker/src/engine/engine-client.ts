import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { buildConnector, type Dispatcher, Pool } from "undici";
import { deadline } from "./deadline.ts";
import { type EngineAddress, showAddress } from "./engine-address.ts";
import { EngineError } from "./engine-error.ts";
import { refusal } from "./refusal.ts";
import { SshTunnel } from "./ssh-tunnel.ts";
import { takeConnection } from "./take-connection.ts";

/** The newest Engine API that this code was written against; an older engine is spoken to in its own version. */
const NEWEST_API = "1.44";
const DEFAULT_DEADLINE_MS = 60_000;
const VERSION_DEADLINE_MS = 10_000;
/** Requests at once that are answered promptly. Streams and waits have connections of their own. */
const PROMPT_CONNECTIONS = 16;
const SSH_CONNECTIONS = 6;
const CONNECT_MS = 10_000;

/** One request to the engine. Nothing in it is text that something parses. */
export interface EngineRequest {
  method: "GET" | "POST" | "PUT" | "DELETE" | "HEAD";
  /** Without version prefix, e.g. `/containers/json`. */
  path: string;
  /** Left out when undefined; an array repeats its key; other objects are sent as JSON (`filters`). */
  query?: Record<string, string | number | boolean | readonly string[] | object | undefined>;
  /** JSON body, unless it is bytes. */
  body?: object | Uint8Array;
  headers?: Record<string, string>;
  /** In the engine's newest version of the API, for what ours does not have. Only of `json`. */
  newest?: boolean;
  signal: AbortSignal;
  /** Until the whole answer is there; for streams, until it begins. Infinity: the signal alone. */
  deadlineMs?: number;
}

/** What the engine says about itself. */
export interface EngineVersion {
  ApiVersion: string;
  MinAPIVersion?: string;
  Version?: string;
  Os?: string;
  /** Go's name of the architecture, e.g. `amd64`. */
  Arch?: string;
  Components?: { Name: string; Version?: string }[];
}

/** The Engine API as requests. No retries: the callers' steps are repeated as a whole. */
export class EngineClient implements AsyncDisposable {
  readonly address: EngineAddress;
  readonly #prompt: Pool;
  readonly #lasting: Pool;
  readonly #tunnel: SshTunnel | undefined;
  readonly #closed = new AbortController();
  /** Connections that were handed over. */
  readonly #taken = new Set<Socket>();
  #version: Promise<EngineVersion> | undefined;

  constructor(address: EngineAddress) {
    this.address = address;
    const origin = address.kind === "tcp" ? address.origin : "http://docker";
    this.#tunnel = address.kind === "ssh" ? new SshTunnel(address.target) : undefined;
    const connect = connector(address, this.#tunnel);
    // Deadlines are ours, per call; undici's would cut log streams of quiet containers.
    const common = { connect, headersTimeout: 0, bodyTimeout: 0 };
    this.#prompt = new Pool(origin, {
      ...common,
      // A server of SSH takes ten new connections at a time.
      connections: this.#tunnel === undefined ? PROMPT_CONNECTIONS : SSH_CONNECTIONS,
    });
    this.#lasting = new Pool(origin, common);
  }

  /** Asked once, for all callers; asked again only if it failed. */
  async version(): Promise<EngineVersion> {
    this.#version ??= this.#send<EngineVersion>("", {
      method: "GET",
      path: "/version",
      signal: this.#closed.signal,
      deadlineMs: VERSION_DEADLINE_MS,
    });
    try {
      return await this.#version;
    } catch (error) {
      this.#version = undefined;
      throw error;
    }
  }

  /** Whether it is Podman that answers here, with its API compatible to Docker's. */
  async isPodman(): Promise<boolean> {
    const { Components = [] } = await this.version();
    return Components.some(({ Name }) => Name === "Podman Engine");
  }

  /** Whether this version of the API, or a newer one, is spoken with this engine. */
  async isAtLeast(version: string): Promise<boolean> {
    return compareVersions(await this.apiVersion(), version) >= 0;
  }

  /** The API version spoken with this engine. */
  async apiVersion(): Promise<string> {
    const { ApiVersion, MinAPIVersion } = await this.version();
    const wanted = compareVersions(ApiVersion, NEWEST_API) < 0 ? ApiVersion : NEWEST_API;
    return MinAPIVersion !== undefined && compareVersions(wanted, MinAPIVersion) < 0
      ? MinAPIVersion
      : wanted;
  }

  /** Sends, and reads the JSON answer; `undefined` for an empty one. Throws {@link EngineError}, or the signal's reason. */
  async json<T>(request: EngineRequest): Promise<T> {
    const version = request.newest ? (await this.version()).ApiVersion : await this.apiVersion();
    return this.#send<T>(`/v${version}`, request);
  }

  /** Sends, and hands over the answer's body as it comes. Destroy it to end the call. */
  async stream(request: EngineRequest): Promise<Readable> {
    const prefix = `/v${await this.apiVersion()}`;
    using limit = deadline(request.signal, finite(request.deadlineMs));
    // The signal must outlive this call, so that it ends the stream; the deadline must not.
    const whole = new AbortController();
    const abort = (): void => whole.abort(limit.signal.reason);
    limit.signal.addEventListener("abort", abort, { once: true });
    if (limit.signal.aborted) abort();
    try {
      const answer = await this.#dispatch(this.#lasting, prefix, request, whole.signal);
      const { body } = answer;
      // A stream that is given up, or cut, emits an error also when nobody reads it just then. Readers still see it.
      body.on("error", () => undefined);
      const cut = (): void => {
        body.destroy(
          request.signal.reason instanceof Error ? request.signal.reason : new Error("aborted"),
        );
      };
      request.signal.addEventListener("abort", cut, { once: true });
      body.once("close", () => request.signal.removeEventListener("abort", cut));
      return body;
    } catch (error) {
      throw this.#explain(error, request, limit.expired);
    }
  }

  /**
   * Sends, and hands over the connection itself, on which both sides now speak as they like. The signal and the deadline
   * count until then. Whoever has it destroys it; disposing of the client does, too.
   */
  async connection(request: EngineRequest): Promise<Socket> {
    const path = this.#target(`/v${await this.apiVersion()}`, request);
    using limit = deadline(request.signal, finite(request.deadlineMs));
    try {
      const { method, body } = request;
      const { address } = this;
      const where =
        address.kind === "ssh"
          ? { kind: "unix" as const, path: (await this.#tunnel?.socket()) ?? "" }
          : address;
      const socket = await takeConnection(
        where,
        { method, path, ...(body !== undefined && { body }) },
        limit.signal,
      );
      this.#taken.add(socket);
      // A cut shows in its reading and writing; nobody may be doing either just then.
      socket.on("error", () => undefined);
      socket.once("close", () => this.#taken.delete(socket));
      return socket;
    } catch (error) {
      throw this.#explain(error, request, limit.expired);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error("The engine client is closed."));
    for (const socket of this.#taken) socket.destroy();
    await Promise.all([this.#prompt.destroy(), this.#lasting.destroy()]);
    await this.#tunnel?.[Symbol.asyncDispose]();
  }

  async #send<T>(prefix: string, request: EngineRequest): Promise<T> {
    using limit = deadline(request.signal, finite(request.deadlineMs));
    // A request that may take long must not keep the short ones waiting.
    const pool = request.deadlineMs === undefined ? this.#prompt : this.#lasting;
    try {
      const answer = await this.#dispatch(pool, prefix, request, limit.signal);
      const text = await answer.body.text();
      return (text.trim() === "" ? undefined : JSON.parse(text)) as T;
    } catch (error) {
      throw this.#explain(error, request, limit.expired);
    }
  }

  #target(prefix: string, { path, query = {} }: EngineRequest): string {
    return prefix + path + queryString(query);
  }

  async #dispatch(
    pool: Pool,
    prefix: string,
    request: EngineRequest,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const bytes = request.body instanceof Uint8Array;
    const answer = await pool.request({
      method: request.method,
      path: this.#target(prefix, request),
      headers: {
        ...(request.body === undefined
          ? {}
          : { "content-type": bytes ? "application/x-tar" : "application/json" }),
        ...request.headers,
      },
      ...(request.body === undefined
        ? {}
        : {
            body: request.body instanceof Uint8Array ? request.body : JSON.stringify(request.body),
          }),
      signal,
    });
    // 304: the container already is in the state that was asked for.
    if (answer.statusCode < 300 || answer.statusCode === 304) return answer;
    throw await refusal(answer.statusCode, answer.body);
  }

  #explain(error: unknown, request: EngineRequest, expired: boolean): unknown {
    if (error instanceof EngineError) return error;
    if (request.signal.aborted && !expired) return request.signal.reason;
    const why = expired
      ? `no answer within ${(request.deadlineMs ?? DEFAULT_DEADLINE_MS) / 1000} s`
      : error instanceof Error
        ? error.message
        : String(error);
    const ssh = this.#tunnel?.lastWords ?? "";
    return new EngineError(
      "unreachable",
      `The container engine at ${showAddress(this.address)} does not answer (${request.method} ${request.path}: ${ssh === "" ? why : `ssh says: ${ssh}`}).`,
      { cause: error },
    );
  }
}

function connector(
  address: EngineAddress,
  tunnel: SshTunnel | undefined,
): buildConnector.BuildOptions | buildConnector.connector {
  if (address.kind === "unix") return { socketPath: address.path, timeout: CONNECT_MS };
  if (address.kind === "tcp") return { timeout: CONNECT_MS, ...address.tls };
  return (options, callback) => {
    const connect = (socketPath: string): void =>
      buildConnector({ socketPath, timeout: CONNECT_MS })(options, callback);
    const fail = (error: unknown): void => callback(error as Error, null);
    (tunnel?.socket() ?? Promise.reject(new Error("there is no tunnel"))).then(connect, fail);
  };
}

function finite(milliseconds: number = DEFAULT_DEADLINE_MS): number | undefined {
  return Number.isFinite(milliseconds) ? milliseconds : undefined;
}

/** Compares `1.9` and `1.41` as versions. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(".").map(Number));
  for (let i = 0; i < Math.max(left?.length ?? 0, right?.length ?? 0); i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function queryString(query: NonNullable<EngineRequest["query"]>): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined) continue;
    if (Array.isArray(value)) for (const one of value) parameters.append(key, String(one));
    else parameters.set(key, typeof value === "object" ? JSON.stringify(value) : String(value));
  }
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}
