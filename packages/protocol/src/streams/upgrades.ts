import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { REQUEST_ID_HEADER } from "../client/headers.ts";
import { ProtocolError } from "../errors.ts";
import { STREAM_PROTOCOL } from "./frame.ts";
import { ignoreUpgrade } from "./ignore-upgrade.ts";
import { MessageSocket, SOCKET_OPTIONS } from "./message-socket.ts";

const SHUTTING_DOWN = "shutting down";

/** The WebSocket side of an HTTP server. */
export interface Upgrades {
  /** Throws ProtocolError unless the request is an upgrade that `accept` can answer. Call it before any work is done. */
  check(request: IncomingMessage): void;
  /** Answers 101. After `check`; rejects with ProtocolError `aborted` when the caller has left meanwhile. */
  accept(request: IncomingMessage, requestId: string): Promise<MessageSocket>;
  /** Ends every socket, with 1001; those that do not answer in time are cut. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Leads upgrade requests through `handle` like any other request, so that authentication, limits, errors and metrics
 * are the same. A handler answers over the response, or calls `accept`.
 */
export function createUpgrades(
  server: Server,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  options: { pingMs?: number } = {},
): Upgrades {
  const pending = new WeakMap<IncomingMessage, { socket: Duplex; head: Buffer }>();
  const open = new Set<MessageSocket>();
  let isClosing = false;
  const webSockets = new WebSocketServer({
    ...SOCKET_OPTIONS,
    noServer: true,
    clientTracking: false,
    handleProtocols: () => STREAM_PROTOCOL,
  });
  webSockets.on("headers", (headers, request) => {
    const id = request.headers[REQUEST_ID_HEADER];
    if (typeof id === "string") headers.push(`${REQUEST_ID_HEADER}: ${id}`);
  });

  server.on("upgrade", (request, socket, head) => {
    if (request.headers.upgrade?.toLowerCase() !== "websocket") {
      ignoreUpgrade(server, request, socket, head);
      return;
    }
    // One that resets the connection while it is being looked at must not end this process.
    socket.on("error", () => socket.destroy());
    pending.set(request, { socket, head });
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Parameters<ServerResponse["assignSocket"]>[0]);
    // A refusal: its last byte is the connection's last.
    response.once("finish", () => socket.end(() => socket.destroy()));
    handle(request, response);
  });

  return {
    check(request) {
      if (!pending.has(request)) {
        throw new ProtocolError(
          "invalid",
          `this is a stream: open it as a WebSocket with the subprotocol ${STREAM_PROTOCOL}`,
          { httpStatus: 426 },
        );
      }
      // A browser says which page asks. None has business here, and a page must not get at what listens on loopback.
      if (request.headers.origin !== undefined) {
        throw new ProtocolError("refused", "streams are not for browsers", { httpStatus: 403 });
      }
      const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",");
      if (!offered.some((name) => name.trim() === STREAM_PROTOCOL)) {
        throw new ProtocolError("invalid", `the only subprotocol here is ${STREAM_PROTOCOL}`);
      }
    },

    accept(request, requestId) {
      const found = pending.get(request);
      if (found === undefined) {
        throw new ProtocolError("internal", "accept was called for a request that is no upgrade");
      }
      pending.delete(request);
      request.headers[REQUEST_ID_HEADER] = requestId;
      return new Promise((resolve, reject) => {
        const left = (): void =>
          reject(new ProtocolError("aborted", "the caller left before the stream began"));
        if (found.socket.destroyed) return left();
        found.socket.once("close", left);
        const opened = (webSocket: WebSocket): void => {
          found.socket.off("close", left);
          const socket = new MessageSocket(webSocket, options.pingMs);
          if (isClosing) socket.close(1001, SHUTTING_DOWN, 0);
          open.add(socket);
          socket.onClosed(() => open.delete(socket));
          resolve(socket);
        };
        // A handshake that ws finds wrong is answered by it, with 400, and the connection closed.
        webSockets.handleUpgrade(request, found.socket, found.head, opened);
      });
    },

    async close(graceMs = 2_000) {
      isClosing = true;
      const sockets = [...open];
      for (const socket of sockets) socket.close(1001, SHUTTING_DOWN, graceMs);
      await Promise.all(sockets.map(({ closed }) => closed));
    },
  };
}
