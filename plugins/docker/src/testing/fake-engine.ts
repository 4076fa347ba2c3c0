import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineClient } from "../engine/engine-client.ts";

export type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

/** A server on a unix socket that answers as a test says, and remembers what it was asked. */
export class FakeEngine implements AsyncDisposable {
  readonly client: EngineClient;
  readonly socket: string;
  /** `METHOD /path` without version, in order. */
  readonly asked: readonly string[];
  readonly #folder: string;
  readonly #server: Server;

  private constructor(folder: string, socket: string, server: Server, asked: readonly string[]) {
    this.asked = asked;
    this.#folder = folder;
    this.socket = socket;
    this.#server = server;
    this.client = new EngineClient({ kind: "unix", path: socket });
  }

  static async open(
    answer: Answer,
    version: object = { ApiVersion: "1.41", MinAPIVersion: "1.12", Arch: "amd64" },
  ): Promise<FakeEngine> {
    const folder = await mkdtemp(join(tmpdir(), "fake-engine-"));
    const socket = join(folder, "engine.sock");
    const asked: string[] = [];
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://engine");
      const path = url.pathname.replace(/^\/v[\d.]+/, "");
      asked.push(`${request.method} ${path}`);
      if (path === "/version") json(response, 200, version);
      else answer(request, response, url);
    });
    await new Promise<void>((resolve) => {
      server.listen(socket, resolve);
    });
    return new FakeEngine(folder, socket, server, asked);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
