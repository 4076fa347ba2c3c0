import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createUpgrades, type MessageSocket } from "@interlink/protocol";

export interface PluginRequest {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: string;
}

export type PluginAnswerer = (request: PluginRequest, response: ServerResponse) => void;

/** A plugin of node:http that notes what it is asked and answers as the test says; 404 where it says nothing. */
export class FakePlugin implements AsyncDisposable {
  readonly requests: PluginRequest[] = [];
  /** By path. */
  readonly answers = new Map<string, PluginAnswerer>();
  /** By path, without the query: what is done with a stream. */
  readonly streams = new Map<string, (socket: MessageSocket) => Promise<unknown>>();
  address = "";
  private readonly sockets = new Set<Socket>();
  private readonly waiters = new Set<() => void>();
  private readonly server = createServer((incoming, response) => this.take(incoming, response));
  private readonly upgrades = createUpgrades(this.server, (incoming, response) => {
    const serve = this.streams.get((incoming.url ?? "").split("?")[0] ?? "");
    if (serve === undefined) return this.take(incoming, response);
    const { method = "", url: path = "", headers } = incoming;
    this.requests.push({ method, path, headers, body: "" });
    this.upgrades.accept(incoming, String(headers["interlink-http-session"])).then(
      (socket) => serve(socket),
      () => undefined,
    );
  });

  async start(port = 0): Promise<this> {
    this.server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    await new Promise<void>((resolve) => this.server.listen(port, "127.0.0.1", resolve));
    this.address = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this;
  }

  /** Answers this path with a body. */
  says(path: string, body: string, code = 200): this {
    this.answers.set(path, (_, response) => {
      response.statusCode = code;
      response.end(body);
    });
    return this;
  }

  on(path: string, answerer: PluginAnswerer): this {
    this.answers.set(path, answerer);
    return this;
  }

  asked(path: string): PluginRequest[] {
    return this.requests.filter((request) => request.path === path);
  }

  /** Until the path has been asked so often. */
  async askedTimes(path: string, times: number): Promise<void> {
    while (this.asked(path).length < times) {
      await new Promise<void>((resolve) => this.waiters.add(resolve));
    }
  }

  private take(incoming: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const request = {
        method: incoming.method ?? "",
        path: incoming.url ?? "",
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      };
      this.requests.push(request);
      const answerer =
        this.answers.get(request.path) ?? this.answers.get(request.path.split("?")[0] ?? "");
      if (answerer !== undefined) answerer(request, response);
      else {
        response.statusCode = 404;
        response.end("404 page not found\n");
      }
      for (const wake of this.waiters) wake();
      this.waiters.clear();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.upgrades.close(0);
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      for (const socket of this.sockets) socket.destroy();
    });
  }
}
