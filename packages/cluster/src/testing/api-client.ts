import type { IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { parse } from "yaml";
import type { JsonObject } from "../api/object.ts";
import { must } from "./must.ts";

export interface Answer {
  code: number;
  body: JsonObject;
  text: string;
  headers: IncomingMessage["headers"];
}

export interface Ask {
  body?: unknown;
  headers?: Record<string, string>;
  /** Sent as it is instead of `body`. */
  raw?: string | Buffer;
}

/** A plain HTTPS client of the API, so that the tests of the server use nothing of the server. */
export class ApiClient {
  readonly #url: string;
  readonly #tls: { ca: string; key?: string; cert?: string };
  readonly #token: string | undefined;
  readonly #agent = new Agent({ keepAlive: true });

  /** `credentials: false` is a client that nobody knows. */
  constructor(kubeconfig: string, { credentials = true } = {}) {
    const config = parse(kubeconfig) as {
      clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
      users: { user: Record<string, string> }[];
    };
    const cluster = must(config.clusters[0]).cluster;
    const user = credentials ? must(config.users[0]).user : {};
    const decode = (text: string | undefined): string =>
      Buffer.from(text ?? "", "base64").toString("utf8");
    this.#url = cluster.server;
    this.#token = user.token;
    this.#tls = {
      ca: decode(cluster["certificate-authority-data"]),
      ...(user["client-key-data"]
        ? { key: decode(user["client-key-data"]), cert: decode(user["client-certificate-data"]) }
        : {}),
    };
  }

  open(
    method: string,
    path: string,
    ask: Ask = {},
    signal?: AbortSignal,
    agent: Agent | false = false,
  ): Promise<IncomingMessage> {
    const payload = ask.raw ?? (ask.body === undefined ? undefined : JSON.stringify(ask.body));
    return new Promise((resolve, reject) => {
      const request = httpsRequest(`${this.#url}${path}`, {
        method,
        ...this.#tls,
        agent,
        headers: {
          ...(payload === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }),
          ...(this.#token ? { authorization: `Bearer ${this.#token}` } : {}),
          ...ask.headers,
        },
        ...(signal ? { signal } : {}),
      });
      request.on("response", resolve);
      request.on("error", reject);
      request.end(payload);
    });
  }

  /** The connection after a 101, with the head of the answer; rejects with the answer when there is no 101. */
  upgrade(
    method: string,
    path: string,
    headers: Record<string, string | string[]>,
  ): Promise<{ socket: Duplex; head: IncomingMessage }> {
    return new Promise((resolve, reject) => {
      const request = httpsRequest(`${this.#url}${path}`, {
        method,
        ...this.#tls,
        agent: false,
        headers: { connection: "Upgrade", ...headers },
      });
      request.on("upgrade", (head, socket, rest) => {
        if (rest.length > 0) socket.unshift(rest);
        resolve({ socket, head });
      });
      request.on("response", (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
        response.on("end", () => reject(new Error(`${response.statusCode}: ${text}`)));
      });
      request.on("error", reject);
      request.end();
    });
  }

  async call(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    const response = await this.open(method, path, ask, undefined, this.#agent);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString("utf8");
    let body: JsonObject = {};
    try {
      body = JSON.parse(text) as JsonObject;
    } catch {
      // Not every answer is JSON.
    }
    return { code: response.statusCode ?? 0, body, text, headers: response.headers };
  }

  get(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.call("GET", path, headers ? { headers } : {});
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.call("POST", path, { body });
  }

  put(path: string, body: unknown): Promise<Answer> {
    return this.call("PUT", path, { body });
  }

  patch(path: string, type: string, body: unknown): Promise<Answer> {
    return this.call("PATCH", path, { body, headers: { "content-type": type } });
  }

  /** The events of a watch, until `signal` or the server ends it. */
  async *watch(
    path: string,
    signal: AbortSignal,
    headers: Record<string, string> = {},
  ): AsyncGenerator<{ type: string; object: JsonObject }> {
    const response = await this.open("GET", path, { headers }, signal);
    let rest = "";
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        const lines = (rest + chunk.toString("utf8")).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) yield JSON.parse(line) as { type: string; object: JsonObject };
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Asks until the answer satisfies, at most 30 s. */
  async until(path: string, satisfied: (answer: Answer) => boolean): Promise<Answer> {
    const deadline = performance.now() + 30_000;
    for (;;) {
      const answer = await this.get(path);
      if (satisfied(answer)) return answer;
      if (performance.now() > deadline) throw new Error(`never satisfied: ${answer.text}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
