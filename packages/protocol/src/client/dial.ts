import { setMaxListeners } from "node:events";
import { connect } from "node:net";
import { type ClientOptions, WebSocket } from "ws";
import { ProtocolError } from "../errors.ts";
import { STREAM_PROTOCOL } from "../streams/frame.ts";
import { MessageSocket, SOCKET_OPTIONS } from "../streams/message-socket.ts";
import { parseAddress } from "./address.ts";
import { startDeadline } from "./deadline.ts";
import { callHeaders, type OperationName, requestIdFor } from "./headers.ts";
import type { CallOptions, InterlinkClientOptions } from "./options.ts";
import { refusal } from "./peer-error.ts";
import { transportError } from "./transport-error.ts";

const MAX_ERROR_BYTES = 64 * 1024;
const CLOSE_MS = 1_000;

/** Opens WebSockets to one peer, with the same address, TLS, token and request id as its calls. */
export interface Dialer {
  /** Throws ProtocolError, `refused` with the peer's words for anything but an upgrade. */
  dial(
    exchange: { operation: OperationName; path: string; query: URLSearchParams; timeoutMs: number },
    options: CallOptions,
  ): Promise<MessageSocket>;
  /** Ends every socket, and those still being opened. */
  close(): Promise<void>;
}

export function createDialer(options: InterlinkClientOptions): Dialer {
  const address = parseAddress(options.address);
  const origin = address.kind === "unix" ? "ws://unix" : address.origin.replace(/^http/, "ws");
  const { tls } = options;
  const open = new Set<MessageSocket>();
  const closing = new AbortController();
  // One listener for every stream that is being opened is no leak.
  setMaxListeners(0, closing.signal);
  const socketOptions: ClientOptions = {
    ...SOCKET_OPTIONS,
    followRedirects: false,
    ...(address.kind === "unix" && { createConnection: () => connect(address.socketPath) }),
    ...(tls?.ca !== undefined && { ca: tls.ca }),
    ...(tls?.cert !== undefined && { cert: tls.cert }),
    ...(tls?.key !== undefined && { key: tls.key }),
    ...(tls?.serverName !== undefined && { servername: tls.serverName }),
    ...(tls?.insecure === true && { rejectUnauthorized: false }),
  };

  return {
    async dial({ operation, path, query, timeoutMs }, call) {
      const what = `GET ${path}`;
      if (closing.signal.aborted) throw new ProtocolError("aborted", "the client was closed");
      using deadline = startDeadline(call.signal, call.timeoutMs ?? timeoutMs, what);
      const giveUp = (): void =>
        deadline.abort(new ProtocolError("aborted", `${what}: the client was closed`));
      closing.signal.addEventListener("abort", giveUp);
      try {
        const headers = await callHeaders(
          requestIdFor(operation, call.requestId),
          false,
          options.token,
          options.userAgent ?? "interlink",
        );
        deadline.signal.throwIfAborted();
        const url = `${origin}${address.basePath}${path}?${query.toString()}`;
        const webSocket = new WebSocket(url, [STREAM_PROTOCOL], { ...socketOptions, headers });
        const socket = await opened(webSocket, deadline.signal, options.streamPingMs);
        open.add(socket);
        socket.onClosed(() => open.delete(socket));
        return socket;
      } catch (error) {
        throw dialError(error, deadline.signal, what);
      } finally {
        closing.signal.removeEventListener("abort", giveUp);
      }
    },

    async close() {
      closing.abort();
      const sockets = [...open];
      for (const socket of sockets) socket.close(1001, "the client was closed", CLOSE_MS);
      await Promise.all(sockets.map(({ closed }) => closed));
    },
  };
}

function opened(
  webSocket: WebSocket,
  signal: AbortSignal,
  pingMs: number | undefined,
): Promise<MessageSocket> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => webSocket.terminate();
    signal.addEventListener("abort", giveUp);
    const settled = (): void => signal.removeEventListener("abort", giveUp);
    webSocket.once("open", () => {
      settled();
      resolve(new MessageSocket(webSocket, pingMs));
    });
    webSocket.on("error", (error) => {
      settled();
      reject(error);
    });
    webSocket.once("unexpected-response", (request, response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      // The deadline ends a body that does not.
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > MAX_ERROR_BYTES) response.destroy();
      });
      response.on("error", () => undefined);
      response.once("close", () => {
        settled();
        request.destroy();
        const words = Buffer.concat(chunks).subarray(0, MAX_ERROR_BYTES).toString("utf8");
        const status = response.statusCode ?? 0;
        reject(status >= 200 && status <= 299 ? notAStream(words) : refusal(status, words));
      });
      signal.addEventListener("abort", () => response.destroy(), { once: true });
    });
  });
}

function notAStream(words: string): ProtocolError {
  return new ProtocolError(
    "bad-answer",
    `the peer answered without opening a stream: ${words.slice(0, 200)}`,
  );
}

/** What ws itself finds wrong with the answer has no code; the socket's errors have one. */
function dialError(error: unknown, signal: AbortSignal, what: string): ProtocolError {
  const isOfProtocol =
    error instanceof Error && !(error instanceof ProtocolError) && !("code" in error);
  if (!isOfProtocol || signal.aborted) return transportError(error, signal, what);
  return new ProtocolError("bad-answer", `${what}: ${error.message}`, { cause: error });
}
