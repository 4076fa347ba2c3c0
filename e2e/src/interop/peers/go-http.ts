import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A request as a peer got it, or an answer. */
export interface GoRequest {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: string;
}

export interface GoAnswer {
  code: number;
  headers: IncomingMessage["headers"];
  body: string;
}

/** Opens a request as Go's client writes it: GET with a body, Content-Length, gzip offered. Rejects without an answer. */
export function goOpen(
  address: string,
  method: string,
  path: string,
  body = "",
  headers: Readonly<Record<string, string>> = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${address}${path}`, {
      method,
      agent: false,
      headers: {
        "User-Agent": "Go-http-client/1.1",
        "Content-Length": String(Buffer.byteLength(body)),
        ...headers,
        "Accept-Encoding": "gzip",
      },
    });
    outgoing.on("response", resolve);
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** The same, with the whole answer. */
export async function goCall(...call: Parameters<typeof goOpen>): Promise<GoAnswer> {
  const incoming = await goOpen(...call);
  return {
    code: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body: (await buffer(incoming)).toString("utf8"),
  };
}

/** What `http.Error` and a handler that only writes text send: sniffed as text, with its length. */
export function goText(response: ServerResponse, code: number, body = ""): void {
  response.writeHead(code, {
    ...(body === "" ? {} : { "Content-Type": "text/plain; charset=utf-8" }),
    "Content-Length": String(Buffer.byteLength(body)),
  });
  response.end(body);
}

/** A server that takes any method on any path, as Go's ServeMux does, and notes what it was asked. */
export abstract class GoServer implements AsyncDisposable {
  readonly requests: GoRequest[] = [];
  address = "";
  readonly #server: Server = createServer((incoming, response) => {
    this.#take(incoming, response).catch(() => response.destroy());
  });

  protected abstract answer(request: GoRequest, response: ServerResponse): Promise<void> | void;

  async #take(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await buffer(incoming)).toString("utf8");
    const { method = "", url: path = "", headers } = incoming;
    const request = { method, path, headers, body };
    this.requests.push(request);
    await this.answer(request, response);
  }

  async listen(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.address = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  asked(path: string): GoRequest[] {
    return this.requests.filter((request) => request.path === path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
