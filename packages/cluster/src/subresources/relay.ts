import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ApiError } from "../api/api-error.ts";
import type { Exchange } from "../http/exchange.ts";

/** Where a request goes on to. */
export interface RelayTarget {
  /** `http:` or `https:`, with path and query. */
  url: string;
  /** Instead of the sender's. */
  method?: string;
  /** Shown to an HTTPS server, whose own certificate is its affair (as with kubeadm). */
  keyPem?: string;
  certificatePem?: string;
  /** How long it may take to answer, milliseconds. */
  answerTimeoutMs: number;
  /** The answer to the sender when it cannot be reached. */
  unreachable: (problem: NodeJS.ErrnoException) => ApiError;
}

/** How long a client may take to leave when it was told all. */
const LINGER_MS = 30_000;

/** They speak about one connection, not about the request. */
const HOP_BY_HOP = new Set([
  "connection",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
/** Who asks is this server's affair; the other side is shown this server's own certificate. */
const CREDENTIALS = /^(authorization|cookie|impersonate-.*|x-remote-.*)$/;

/**
 * Hands a request on and its answer back, both as they come. An upgrade that the other side agrees to makes one
 * connection of the two, whatever is spoken on it; one that it refuses is refused with its words. Throws ApiError.
 */
export async function relay(exchange: Exchange, target: RelayTarget): Promise<void> {
  const { request, response, upgrade } = exchange;
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const answer = await send(exchange, target, gone.signal);
  if ("socket" in answer) {
    if (upgrade === undefined) {
      answer.socket.destroy();
      throw target.unreachable(new Error("it changed the protocol unasked"));
    }
    const client = upgrade.take();
    client.socket.write(headOf(answer.head));
    splice(client, { socket: answer.socket, head: answer.rest });
    return;
  }
  response.writeHead(answer.head.statusCode ?? 502, answer.head.statusMessage, kept(answer.head));
  response.flushHeaders();
  try {
    await pipeline(answer.head, response);
  } catch {
    // Either side left; what was sent is sent, and the broken connection tells the client.
    response.destroy();
    request.destroy();
  }
}

type Answer = { head: IncomingMessage } | { head: IncomingMessage; socket: Duplex; rest: Buffer };

function send(
  { request, upgrade }: Exchange,
  target: RelayTarget,
  signal: AbortSignal,
): Promise<Answer> {
  const headers: OutgoingHttpHeaders = kept(request);
  if (upgrade !== undefined) {
    headers["connection"] = "Upgrade";
    headers["upgrade"] = request.headers.upgrade;
  }
  const options = {
    method: target.method ?? request.method ?? "GET",
    headers,
    agent: false,
    signal,
    timeout: target.answerTimeoutMs,
    ...(target.keyPem === undefined ? {} : { key: target.keyPem, cert: target.certificatePem }),
    rejectUnauthorized: false,
  };
  const open = target.url.startsWith("https:") ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const out = open(target.url, options);
    out.on("timeout", () => out.destroy(new Error("it does not answer")));
    out.on("error", (error) => reject(target.unreachable(error)));
    out.on("upgrade", (head, socket, rest) => {
      socket.setTimeout(0);
      resolve({ head, socket, rest });
    });
    out.on("response", (head) => {
      out.setTimeout(0);
      resolve({ head });
    });
    if (upgrade === undefined) request.pipe(out);
    else out.end();
  });
}

/** Names with all their values, in order, but those of the connection and of the sender's identity. */
function kept(message: IncomingMessage): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(message.headersDistinct).filter(
      ([name]) => !HOP_BY_HOP.has(name) && !CREDENTIALS.test(name),
    ),
  );
}

/** As it came: what was agreed on stands in it. */
function headOf({ rawHeaders }: IncomingMessage): string {
  const lines = ["HTTP/1.1 101 Switching Protocols"];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

interface End {
  socket: Duplex;
  head: Buffer;
}

/** Bytes both ways until one side has ended; the client gets all that was said before. */
function splice({ socket: client, head }: End, { socket: backend, head: rest }: End): void {
  if (rest.length > 0) backend.unshift(rest);
  if (head.length > 0) client.unshift(head);
  backend.on("error", () => backend.destroy());
  client.once("close", () => backend.destroy());
  backend.once("close", () => {
    // Else the client is being told the rest, at its own speed.
    if (!backend.readableEnded) client.destroy();
  });
  client.once("finish", () => {
    const timer = setTimeout(() => client.destroy(), LINGER_MS);
    client.once("close", () => clearTimeout(timer));
  });
  if (client.destroyed) backend.destroy();
  client.pipe(backend);
  backend.pipe(client);
}
