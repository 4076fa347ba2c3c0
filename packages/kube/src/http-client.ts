import type { Dispatcher } from "undici";
import type { KubeClient, KubeList, PatchType, RequestOptions, WatchEvent } from "./client.ts";
import { type ConnectionLimits, type Lane, openConnections } from "./connections.ts";
import type { KubeCredentials } from "./credentials.ts";
import { abortedError, pause, withDeadline } from "./deadline.ts";
import { KubeError } from "./errors.ts";
import { LineSplitter } from "./line-splitter.ts";
import { type OpenStream, OpenStreams } from "./open-streams.ts";
import { type RateLimit, TokenBucket } from "./rate-limit.ts";
import { parseEvent, throwUnlessOk } from "./read-answer.ts";

/** How a client treats the API server; the defaults are a kubelet's where it has them. */
export interface KubeClientOptions extends ConnectionLimits {
  /** Default none: the server's own fairness decides. Leases are never limited. */
  rateLimit?: RateLimit;
  userAgent?: string;
  /** How often one call is repeated when the server says 429 or 503 with Retry-After; default 5. */
  retries?: number;
  now?: () => number;
}

const DEADLINE_MS = 30_000;
/** How often it is looked whether the certificates of open connections are still the right ones. */
const RENEW_MS = 60_000;

interface Call {
  method: Dispatcher.HttpMethod;
  path: string;
  options: RequestOptions;
  body?: unknown;
  contentType?: string;
}

const patchTypes: Record<PatchType, string> = {
  "strategic-merge": "application/strategic-merge-patch+json",
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
};

/** A KubeClient over HTTP/1.1. The caller closes it. */
export function createKubeClient(
  credentials: KubeCredentials,
  options: KubeClientOptions = {},
): KubeClient {
  return new HttpKubeClient(credentials, options);
}

class HttpKubeClient implements KubeClient {
  readonly server: string;
  readonly #credentials: KubeCredentials;
  readonly #options: KubeClientOptions;
  readonly #connections;
  readonly #streams: OpenStreams;
  readonly #prefix: string;
  readonly #bucket: TokenBucket | undefined;
  readonly #now: () => number;
  #renewedAt: number;

  constructor(credentials: KubeCredentials, options: KubeClientOptions) {
    const url = new URL(credentials.server);
    this.server = credentials.server;
    this.#prefix = url.pathname.replace(/\/+$/, "");
    this.#credentials = credentials;
    this.#options = options;
    this.#connections = openConnections(credentials, options);
    this.#now = options.now ?? Date.now;
    this.#renewedAt = this.#now();
    this.#streams = new OpenStreams(this.#now);
    this.#bucket =
      options.rateLimit === undefined ? undefined : new TokenBucket(options.rateLimit, this.#now());
  }

  get<T>(path: string, options: RequestOptions = {}): Promise<T> {
    return this.#call({ method: "GET", path, options });
  }

  async list<T>(path: string, options: RequestOptions = {}): Promise<KubeList<T>> {
    const list = await this.#call<{ metadata?: KubeList<T>["metadata"]; items?: T[] | null }>({
      method: "GET",
      path,
      options,
    });
    // Go writes an empty slice as null.
    return { metadata: list.metadata ?? {}, items: list.items ?? [] };
  }

  create<T>(path: string, body: unknown, options: RequestOptions = {}): Promise<T> {
    return this.#call({ method: "POST", path, options, body });
  }

  replace<T>(path: string, body: unknown, options: RequestOptions = {}): Promise<T> {
    return this.#call({ method: "PUT", path, options, body });
  }

  patch<T>(path: string, type: PatchType, body: unknown, options: RequestOptions = {}): Promise<T> {
    return this.#call({ method: "PATCH", path, options, body, contentType: patchTypes[type] });
  }

  delete<T>(path: string, body?: unknown, options: RequestOptions = {}): Promise<T> {
    return this.#call({ method: "DELETE", path, options, body });
  }

  async *watch(path: string, options: RequestOptions): AsyncIterable<WatchEvent> {
    const doing = `WATCH ${path}`;
    const query = { ...options.query, watch: 1 };
    const splitter = new LineSplitter();
    for await (const chunk of this.#bytes(path, { ...options, query }, doing))
      for (const line of splitter.push(chunk)) yield parseEvent(line, doing);
    const rest = splitter.end();
    if (rest !== "") yield parseEvent(rest, doing);
  }

  stream(path: string, options: RequestOptions = {}): AsyncIterable<Uint8Array> {
    return this.#bytes(path, options, `GET ${path}`);
  }

  /** The body of a GET as it comes. The deadline covers only the headers. */
  async *#bytes(path: string, options: RequestOptions, doing: string): AsyncIterable<Uint8Array> {
    if (options.signal?.aborted === true) throw abortedError(doing, options.signal.reason);
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(abortedError(doing, options.signal?.reason));
    options.signal?.addEventListener("abort", onAbort, { once: true });
    let open: OpenStream | undefined;
    try {
      const call: Call = { method: "GET", path, options };
      const answer = await withDeadline(
        options.timeoutMs ?? DEADLINE_MS,
        options.signal,
        doing,
        (signal) => this.#send(call, "watches", relay(signal, stop)),
      );
      await throwUnlessOk(answer, doing, this.#now());
      open = this.#streams.add(stop);
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        open.heard();
        yield chunk;
      }
    } catch (error) {
      throw KubeError.from(stop.signal.aborted ? stop.signal.reason : error, doing);
    } finally {
      options.signal?.removeEventListener("abort", onAbort);
      open?.closed();
      // When the reader leaves early the socket must go too.
      stop.abort(abortedError(doing));
    }
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  async #call<T>(call: Call): Promise<T> {
    const doing = `${call.method} ${call.path}`;
    const lane: Lane = call.path.startsWith("/apis/coordination.k8s.io/") ? "leases" : "general";
    const askedAt = this.#now();
    try {
      return await withDeadline(
        call.options.timeoutMs ?? DEADLINE_MS,
        call.options.signal,
        doing,
        async (signal) => {
          if (lane === "general") await this.#limit(signal);
          return this.#tries<T>(call, lane, doing, signal);
        },
      );
    } catch (error) {
      const failure = KubeError.from(error, doing);
      if (failure.code === "timeout") this.#streams.cutSilentSince(askedAt, failure);
      throw failure;
    }
  }

  async #tries<T>(call: Call, lane: Lane, doing: string, signal: AbortSignal): Promise<T> {
    const limit = this.#options.retries ?? 5;
    const until = this.#now() + (call.options.timeoutMs ?? DEADLINE_MS);
    for (let tries = 0; ; tries += 1) {
      try {
        const answer = await this.#send(call, lane, signal);
        await throwUnlessOk(answer, doing, this.#now());
        return (await answer.body.json()) as T;
      } catch (error) {
        const wait = retryWait(error, call.method);
        const hopeless = wait === undefined || tries >= limit || this.#now() + wait >= until;
        if (hopeless || signal.aborted) throw error;
        await pause(wait, signal);
        signal.throwIfAborted();
      }
    }
  }

  /** With one more try for a 401 when the credentials turn out to be others by now. */
  async #send(call: Call, lane: Lane, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    if (this.#now() - this.#renewedAt >= RENEW_MS) await this.#renewConnections();
    const shown = await this.#credentials.authorization();
    const answer = await this.#request(call, lane, signal, shown);
    if (answer.statusCode !== 401) return answer;
    this.#credentials.forget?.();
    const isRenewed = await this.#renewConnections();
    const authorization = await this.#credentials.authorization();
    if (!isRenewed && authorization === shown) return answer;
    await answer.body.dump();
    return this.#request(call, lane, signal, authorization);
  }

  async #renewConnections(): Promise<boolean> {
    this.#renewedAt = this.#now();
    // That the files cannot be read just now is told by the next connection that needs them.
    return this.#connections.renew().catch(() => false);
  }

  async #request(
    call: Call,
    lane: Lane,
    signal: AbortSignal,
    authorization: string | undefined,
  ): Promise<Dispatcher.ResponseData> {
    const headers: Record<string, string> = {
      accept: "application/json",
      "user-agent": this.#options.userAgent ?? "interlink-virtual-node",
    };
    if (authorization !== undefined) headers["authorization"] = authorization;
    if (call.body !== undefined) headers["content-type"] = call.contentType ?? "application/json";
    return this.#connections.pool(lane).request({
      method: call.method,
      path: this.#prefix + call.path + queryText(call.options.query),
      headers,
      signal,
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      // undici would close the connection after every DELETE with a body, and Kubernetes takes options in one.
      reset: false,
    });
  }

  async #limit(signal: AbortSignal): Promise<void> {
    const wait = this.#bucket?.reserve(this.#now()) ?? 0;
    if (wait > 0) await pause(wait, signal);
    signal.throwIfAborted();
  }
}

/** Makes `to` follow `from` and returns `to`'s signal, so that a deadline can end what outlives it. */
function relay(from: AbortSignal, to: AbortController): AbortSignal {
  from.addEventListener("abort", () => to.abort(from.reason), { once: true });
  return to.signal;
}

/**
 * When to try again: as long as the server says (429 and 5xx with Retry-After), and at once for a GET whose kept
 * socket the server had just closed. Undefined: not by us.
 */
function retryWait(error: unknown, method: string): number | undefined {
  if (error instanceof KubeError) {
    const asked = error.retryAfterMs;
    const again = error.httpCode === 429 || (error.httpCode ?? 0) >= 500;
    if (!again) return undefined;
    return asked ?? (error.httpCode === 429 ? 1000 : undefined);
  }
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return method === "GET" && (code === "UND_ERR_SOCKET" || code === "ECONNRESET") ? 0 : undefined;
}

function queryText(query: RequestOptions["query"]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined) parameters.append(name, String(value));
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}
