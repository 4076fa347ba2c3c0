import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type WebSocket, WebSocketServer } from "ws";
import { KubeletError } from "./kubelet-error.ts";

export type UpgradeKind = "spdy" | "websocket";

export interface UpgradesOptions {
  server: Server;
  /** Answers a request like any other. */
  handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** More connections at once are refused. */
  maxConnections: number;
  /** A connection without a byte for so long is closed. */
  idleMs: number;
}

/** As a kubelet's: some clients send all of a file in one message. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
const KEEP_ALIVE_MS = 30_000;

/**
 * The upgrades of an HTTPS server. Each request that asks for one goes through `handle` like every other, so that
 * nothing is upgraded that was not authenticated and authorized; a handler then takes the connection, or refuses over
 * the response.
 */
export class Upgrades {
  readonly #options: UpgradesOptions;
  readonly #pending = new WeakMap<IncomingMessage, { socket: Duplex; head: Buffer }>();
  readonly #open = new Set<Duplex>();

  constructor(options: UpgradesOptions) {
    this.#options = options;
    options.server.on("upgrade", (request, socket, head) => this.#asked(request, socket, head));
  }

  /** What a request asks for. Throws KubeletError when it is no upgrade that the kubelet API knows. */
  kindOf({ raw, headers }: FastifyRequest): UpgradeKind {
    const asked = (headers.upgrade ?? "").toLowerCase();
    if (this.#pending.has(raw)) {
      if (asked === "websocket" && raw.method === "GET") return "websocket";
      if (asked.split(",").some((one) => one.trim() === "spdy/3.1")) return "spdy";
    }
    throw new KubeletError("bad-request", "unable to upgrade: missing upgrade headers in request");
  }

  /** Answers 101 and gives the connection on which SPDY/3.1 is spoken from now on. Throws KubeletError. */
  takeSpdy(request: FastifyRequest, reply: FastifyReply, protocol: string): Duplex {
    const { socket, head } = this.#take(request, reply);
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n" +
        `X-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
    );
    if (head.length > 0) socket.unshift(head);
    return socket;
  }

  /**
   * Answers 101 and gives the WebSocket, not yet reading; "" is no subprotocol. Throws KubeletError at once; rejects
   * when the handshake is wrong (that is answered by then) or the client has left.
   */
  takeWebSocket(
    request: FastifyRequest,
    reply: FastifyReply,
    subprotocol: string,
  ): Promise<WebSocket> {
    const { socket, head } = this.#take(request, reply);
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
    });
    // It was negotiated already; and Kubernetes has names for some that ws takes for none.
    delete request.raw.headers["sec-websocket-protocol"];
    server.on("headers", (headers) => {
      if (subprotocol !== "") headers.push(`Sec-WebSocket-Protocol: ${subprotocol}`);
    });
    return new Promise((resolve, reject) => {
      const left = (): void => reject(new Error("no WebSocket came of it"));
      if (socket.destroyed) return left();
      socket.once("close", left);
      server.handleUpgrade(request.raw, socket, head, (webSocket) => {
        socket.off("close", left);
        webSocket.pause();
        resolve(webSocket);
      });
    });
  }

  /** Cuts all that is open. */
  close(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #asked(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // One that is reset while it is looked at must not end the process.
    socket.on("error", () => socket.destroy());
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
    request.socket.setKeepAlive(true, KEEP_ALIVE_MS);
    request.socket.setTimeout(this.#options.idleMs, () => socket.destroy());
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(request.socket);
    // A refusal: its last byte is the connection's last.
    response.once("finish", () => socket.end(() => socket.destroy()));
    const { "content-length": length = "0", "transfer-encoding": encoding } = request.headers;
    if (length !== "0" || encoding !== undefined) {
      // It would never come: what follows an upgrade is no body.
      response.writeHead(400).end("an upgrade has no body\n");
      return;
    }
    this.#pending.set(request, { socket, head });
    this.#options.handle(request, response);
  }

  #take({ raw }: FastifyRequest, reply: FastifyReply): { socket: Duplex; head: Buffer } {
    const found = this.#pending.get(raw);
    if (found === undefined) throw new KubeletError("internal", "this request is no upgrade");
    if (this.#open.size > this.#options.maxConnections) {
      throw new KubeletError(
        "unavailable",
        "too many streams are open on this node; try again later",
      );
    }
    this.#pending.delete(raw);
    reply.hijack();
    reply.raw.detachSocket(raw.socket);
    return found;
  }
}
