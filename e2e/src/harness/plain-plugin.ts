import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import type { Pod } from "kubernetes-types/core/v1.js";

/** How the plugin answers questions for the status. */
export type Mood =
  | "well"
  /** Not JSON. */
  | "garbage"
  /** JSON that is no list of statuses. */
  | "nonsense"
  /** 500 with a page of a proxy. */
  | "broken"
  /** The answer breaks off. */
  | "cut"
  /** It knows of no pod. */
  | "forgetful";

/**
 * A plugin of the base protocol, as simple ones are: `/create`, `/delete`, `/status`, `/getLogs`, nothing negotiated. It runs
 * nothing; its pods run until they are deleted. A test sets how badly it behaves.
 */
export class PlainPlugin implements AsyncDisposable {
  readonly #server: Server;
  /** UIDs that it was asked to create, in order, repetitions too. */
  readonly creates: string[] = [];
  /** UIDs of the pods that it has. */
  readonly pods = new Map<string, Pod>();
  /** How often it was asked for a status, pings aside. */
  questions = 0;
  mood: Mood = "well";
  /** Milliseconds before each answer to a create, and to a question for the status. */
  slowness = { create: 0, status: 0 };

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(socket: string): Promise<PlainPlugin> {
    const server = createServer();
    const plugin = new PlainPlugin(server);
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      plugin.#answer(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : new Error(String(error)));
      });
    });
    server.listen(socket);
    await once(server, "listening");
    return plugin;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    if (request.url === "/create") return this.#create(body, response);
    if (request.url === "/delete") {
      this.pods.delete((JSON.parse(body) as Pod).metadata?.uid ?? "");
      response.end("deleted");
      return;
    }
    if (request.url === "/status") return this.#status(body, response);
    response.writeHead(404).end("404 page not found");
  }

  async #create(body: string, response: ServerResponse): Promise<void> {
    const { pod } = JSON.parse(body) as { pod: Pod };
    const uid = pod.metadata?.uid ?? "";
    this.creates.push(uid);
    await delay(this.slowness.create);
    this.pods.set(uid, pod);
    response.end(JSON.stringify({ PodUID: uid, PodJID: `job-${uid}` }));
  }

  async #status(body: string, response: ServerResponse): Promise<void> {
    const asked = JSON.parse(body) as Pod[];
    // The ping must go well, or the site would count as away.
    if (asked.length === 0) {
      response.end("[]");
      return;
    }
    this.questions += 1;
    await delay(this.slowness.status);
    const known = asked.filter(({ metadata }) => this.pods.has(metadata?.uid ?? ""));
    const statuses = JSON.stringify(known.map(statusOf));
    switch (this.mood) {
      case "well":
        return void response.end(statuses);
      case "garbage":
        return void response.end("<html>It works!</html>");
      case "nonsense":
        return void response.end('{"pods":"fine"}');
      case "broken":
        return void response.writeHead(500).end("<h1>Bad day</h1>");
      case "cut":
        response.writeHead(200, { "content-length": statuses.length + 10 });
        return void response.write(statuses, () => response.destroy());
      case "forgetful":
        return void response.end("[]");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function statusOf({ metadata, spec }: Pod): object {
  return {
    name: metadata?.name,
    namespace: metadata?.namespace,
    UID: metadata?.uid,
    JID: `job-${metadata?.uid}`,
    containers: spec?.containers.map(({ name }) => ({
      name,
      ready: true,
      state: { running: { startedAt: metadata?.creationTimestamp } },
    })),
    initContainers: null,
  };
}
