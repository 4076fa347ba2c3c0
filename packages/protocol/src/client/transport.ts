import { type Dispatcher, Pool } from "undici";
import { ProtocolError } from "../errors.ts";
import { parseAddress } from "./address.ts";
import { type Deadline, startDeadline } from "./deadline.ts";
import { callHeaders, type OperationName, requestIdFor } from "./headers.ts";
import type { CallOptions, InterlinkClientOptions } from "./options.ts";
import { refusal } from "./peer-error.ts";
import { transportError } from "./transport-error.ts";

/** One HTTP exchange, as the operations describe it. */
interface Exchange {
  operation: OperationName;
  method: "GET" | "POST" | "DELETE";
  path: string;
  body?: string;
  /** Whole call for `call`, until the headers for `open`; `undefined`: only the caller's signal. */
  timeoutMs: number | undefined;
}

/** An answer whose body is still to be read. Exactly one of `chunks` (to its end) or `cancel` must follow. */
export interface OpenAnswer {
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
  cancel(): void;
  /** Ends the body with this error. */
  abort(reason: ProtocolError): void;
}

export interface Transport {
  /** Sends, and reads the whole answer. Throws ProtocolError, `refused` for anything but 2xx. */
  call(exchange: Exchange, options: CallOptions): Promise<Buffer>;
  /** Sends, and comes back with the headers of a 2xx answer. Throws like `call`. */
  open(exchange: Exchange, options: CallOptions): Promise<OpenAnswer>;
  close(): Promise<void>;
}

const MAX_ERROR_BYTES = 64 * 1024;

/** Keep-alive connections to one peer; streams have a pool of their own so that they never starve calls. */
export function createTransport(options: InterlinkClientOptions): Transport {
  const address = parseAddress(options.address);
  const maxAnswerBytes = options.maxAnswerBytes ?? 256 * 1024 * 1024;
  const errorBodyMs = options.errorBodyMs ?? 5_000;
  const { tls } = options;
  const poolOptions: Pool.Options = {
    connect: {
      timeout: options.connectTimeoutMs ?? 5_000,
      ...(address.kind === "unix" ? { socketPath: address.socketPath } : {}),
      ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls?.key === undefined ? {} : { key: tls.key }),
      ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
      ...(tls?.insecure === true ? { rejectUnauthorized: false } : {}),
    },
    // Our own deadlines rule; undici's would cut long creates and quiet streams.
    headersTimeout: 0,
    // Some Python servers close idle connections after 2 s without saying so; a create must not meet that moment.
    keepAliveTimeout: 1_500,
    bodyTimeout: 0,
  };
  const calls = new Pool(address.origin, {
    ...poolOptions,
    connections: options.connections ?? 64,
  });
  const streams = new Pool(address.origin, poolOptions);

  async function send(
    pool: Pool,
    exchange: Exchange,
    call: CallOptions,
    deadline: Deadline,
  ): Promise<Dispatcher.ResponseData> {
    const what = `${exchange.method} ${exchange.path}`;
    try {
      const headers = await callHeaders(
        requestIdFor(exchange.operation, call.requestId),
        exchange.body !== undefined,
        options.token,
        options.userAgent ?? "interlink",
      );
      const response = await pool.request({
        method: exchange.method,
        path: `${address.basePath}${exchange.path}`,
        headers,
        body: exchange.body ?? null,
        signal: deadline.signal,
        // undici would close the connection after every GET with a body, which the wire is made of.
        reset: false,
      });
      if (response.statusCode >= 200 && response.statusCode <= 299) return response;
      const words = await readUpTo(response.body, MAX_ERROR_BYTES, errorBodyMs);
      throw refusal(response.statusCode, words.toString("utf8"));
    } catch (error) {
      throw transportError(error, deadline.signal, what);
    }
  }

  return {
    async call(exchange, call) {
      const what = `${exchange.method} ${exchange.path}`;
      using deadline = startDeadline(call.signal, call.timeoutMs ?? exchange.timeoutMs, what);
      const response = await send(calls, exchange, call, deadline);
      try {
        return await readWhole(response.body, maxAnswerBytes);
      } catch (error) {
        throw transportError(error, deadline.signal, what);
      }
    },

    async open(exchange, call) {
      const what = `${exchange.method} ${exchange.path}`;
      const deadline = startDeadline(call.signal, call.timeoutMs ?? exchange.timeoutMs, what);
      try {
        const { body } = await send(streams, exchange, call, deadline);
        deadline.stopClock();
        // An abort between headers and first read must not become an unhandled stream error.
        body.on("error", ignore);
        return {
          async *chunks() {
            try {
              for await (const chunk of body) yield chunk as Buffer;
            } catch (error) {
              throw transportError(error, deadline.signal, what);
            } finally {
              body.destroy();
              deadline[Symbol.dispose]();
            }
          },
          cancel() {
            body.destroy();
            deadline[Symbol.dispose]();
          },
          abort: (reason) => deadline.abort(reason),
        };
      } catch (error) {
        deadline[Symbol.dispose]();
        throw error;
      }
    },

    async close() {
      const reason = new ProtocolError("aborted", "the client was closed");
      await Promise.all([calls.destroy(reason), streams.destroy(reason)]);
    },
  };
}

/** Errors of an open body reach its reader through iteration; this listener only keeps Node from treating them as lost. */
function ignore(): void {}

async function readWhole(body: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) {
      throw new ProtocolError("bad-answer", `the peer's answer is larger than ${limit} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** The beginning of a body, as far as it comes in time; leaving the loop destroys the rest. */
async function readUpTo(
  body: Dispatcher.ResponseData["body"],
  limit: number,
  milliseconds: number,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    body.destroy();
  }, milliseconds);
  try {
    for await (const chunk of body) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size >= limit) break;
    }
  } catch (error) {
    if (!late) throw error;
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).subarray(0, limit);
}
