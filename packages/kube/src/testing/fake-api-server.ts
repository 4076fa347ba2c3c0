import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { KubeObject, WatchEvent } from "../client.ts";
import { applyStrategicPatch } from "./apply-strategic-patch.ts";

/** One request, as the fake saw it. */
export interface SeenRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  contentType: string | undefined;
  authorization: string | undefined;
  body: unknown;
  at: number;
  /** The client's port: equal for requests on one connection. */
  clientPort: number | undefined;
}

/**
 * What to do instead of answering properly. `status`: an error answer. `drop`: cut the connection. `hang`: never
 * answer. `silent-watch`: send the header of a watch, then nothing, not even its end.
 */
export type Fault =
  | {
      kind: "status";
      code: number;
      reason?: string;
      message?: string;
      retryAfter?: string;
      causes?: { reason: string }[];
    }
  | { kind: "drop" }
  | { kind: "hang" }
  | { kind: "silent-watch" };

interface Rule {
  matches: (request: SeenRequest) => boolean;
  fault: Fault;
  times: number;
}

interface Watcher {
  collection: Collection;
  fields: Map<string, string>;
  response: ServerResponse;
}

interface Collection {
  root: string;
  resource: string;
  namespace: string | undefined;
}

interface Stored extends KubeObject {
  metadata: NonNullable<KubeObject["metadata"]>;
}

/**
 * A small Kubernetes API server over node:http, in memory, for tests of how clients behave when things go wrong.
 * Knows list, get, create, replace, patch, delete, status, paging and watches of any resource; checks nothing.
 */
export class FakeApiServer implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  /** Fields of a status that this server is too old to know: it accepts them and keeps nothing of them. */
  unknownStatusFields: readonly string[] = [];
  readonly #server: Server;
  readonly #objects = new Map<string, Stored>();
  readonly #log: { version: number; key: string; event: WatchEvent<Stored> }[] = [];
  readonly #watchers = new Set<Watcher>();
  readonly #replies = new Map<string, (body: unknown) => unknown>();
  #rules: Rule[] = [];
  #version = 100;
  /** Watches and lists from before this version are answered 410. */
  #oldest = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#handle(request, response);
    });
  }

  static async start(): Promise<FakeApiServer> {
    const fake = new FakeApiServer();
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get kubeconfigYaml(): string {
    return `
apiVersion: v1
kind: Config
current-context: fake
contexts: [{name: fake, context: {cluster: fake, user: fake}}]
clusters: [{name: fake, cluster: {server: "${this.url}"}}]
users: [{name: fake, user: {token: fake-token}}]
`;
  }

  /** The next `times` requests that match get `fault`. */
  inject(matches: (request: SeenRequest) => boolean, fault: Fault, times = 1): void {
    this.#rules.push({ matches, fault, times });
  }

  /** Answers POSTs to `path` with what `reply` makes of the body, as reviews are answered, and keeps nothing. */
  answer(path: string, reply: (body: unknown) => unknown): void {
    this.#replies.set(path, reply);
  }

  clearFaults(): void {
    this.#rules = [];
  }

  get watches(): number {
    return this.#watchers.size;
  }

  get version(): string {
    return String(this.#version);
  }

  /** Cuts the connection of every watch. */
  dropWatches(): void {
    for (const { response } of this.#watchers) response.destroy();
    this.#watchers.clear();
  }

  /** Ends every watch properly, as a server does after `timeoutSeconds`. */
  endWatches(): void {
    for (const { response } of this.#watchers) response.end();
    this.#watchers.clear();
  }

  /** Sends a raw event to every watch. */
  sendToWatches(event: unknown): void {
    for (const { response } of this.#watchers) response.write(`${JSON.stringify(event)}\n`);
  }

  bookmark(): void {
    this.sendToWatches({
      type: "BOOKMARK",
      object: { kind: "Any", metadata: { resourceVersion: this.version } },
    });
  }

  /** Forgets history: a watch from an older version is answered 410 from now on, open ones get an ERROR event. */
  expire(): void {
    this.#version += 1;
    this.#oldest = this.#version;
    this.sendToWatches({
      type: "ERROR",
      object: { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" },
    });
    this.endWatches();
  }

  /** The object at `path`, as a server would answer it. */
  object(path: string): KubeObject | undefined {
    return this.#objects.get(path);
  }

  /** Puts an object at `path` (with its name) and tells the watches. */
  put(path: string, object: KubeObject): Stored {
    const old = this.#objects.get(path);
    const { collection, name } = parsePath(path);
    this.#version += 1;
    const stored: Stored = {
      ...object,
      metadata: {
        creationTimestamp: new Date().toISOString(),
        ...object.metadata,
        name: object.metadata?.name ?? name ?? "",
        ...(collection.namespace === undefined ? {} : { namespace: collection.namespace }),
        uid: object.metadata?.uid ?? old?.metadata.uid ?? randomUUID(),
        resourceVersion: String(this.#version),
      },
    };
    this.#objects.set(path, stored);
    this.#emit(path, { type: old === undefined ? "ADDED" : "MODIFIED", object: stored });
    return stored;
  }

  remove(path: string): void {
    const old = this.#objects.get(path);
    if (old === undefined) return;
    this.#objects.delete(path);
    this.#version += 1;
    const metadata = { ...old.metadata, resourceVersion: String(this.#version) };
    this.#emit(path, { type: "DELETED", object: { ...old, metadata } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #emit(key: string, event: WatchEvent<Stored>): void {
    this.#log.push({ version: this.#version, key, event });
    for (const watcher of this.#watchers)
      if (selects(watcher, key, event.object)) watcher.response.write(`${JSON.stringify(event)}\n`);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const url = new URL(request.url ?? "/", "http://fake");
    const seen: SeenRequest = {
      method: request.method ?? "",
      path: url.pathname,
      query: url.searchParams,
      contentType: request.headers["content-type"],
      authorization: request.headers.authorization,
      body: text === "" ? undefined : (JSON.parse(text) as unknown),
      clientPort: request.socket.remotePort,
      at: Date.now(),
    };
    this.requests.push(seen);
    const rule = this.#rules.find((one) => one.times > 0 && one.matches(seen));
    if (rule !== undefined) {
      rule.times -= 1;
      applyFault(rule.fault, response);
      return;
    }
    const reply = seen.method === "POST" ? this.#replies.get(seen.path) : undefined;
    if (reply === undefined) this.#answer(seen, response);
    else send(response, 201, reply(seen.body));
  }

  #answer(seen: SeenRequest, response: ServerResponse): void {
    const { collection, name, subresource } = parsePath(seen.path);
    if (name === undefined) {
      if (seen.method === "POST") this.#create(seen, response);
      else if (seen.query.has("watch")) this.#watch(seen, collection, response);
      else this.#list(seen, collection, response);
      return;
    }
    const path = subresource === undefined ? seen.path : seen.path.replace(/\/[^/]*$/, "");
    const old = this.#objects.get(path);
    if (old === undefined) {
      sendStatus(response, 404, "NotFound", `${collection.resource} "${name}" not found`);
      return;
    }
    if (seen.method === "GET") send(response, 200, old);
    else if (seen.method === "DELETE") this.#delete(path, seen, response);
    else if (seen.method === "PUT") this.#replace(path, old, seen, subresource, response);
    else if (seen.method === "PATCH") this.#patch(path, old, seen, response);
    else sendStatus(response, 405, "MethodNotAllowed", "not here");
  }

  #create(seen: SeenRequest, response: ServerResponse): void {
    const body = seen.body as KubeObject;
    const name = body.metadata?.name ?? `${body.metadata?.generateName ?? ""}${this.#version}`;
    const path = `${seen.path}/${name}`;
    if (this.#objects.has(path)) {
      sendStatus(response, 409, "AlreadyExists", `"${name}" already exists`);
      return;
    }
    send(response, 201, this.put(path, { ...body, metadata: { ...body.metadata, name } }));
  }

  #replace(
    path: string,
    old: Stored,
    seen: SeenRequest,
    subresource: string | undefined,
    response: ServerResponse,
  ): void {
    const body = seen.body as KubeObject;
    const wanted = body.metadata?.resourceVersion;
    if (wanted !== undefined && wanted !== old.metadata.resourceVersion) {
      sendStatus(response, 409, "Conflict", "the object has been modified");
      return;
    }
    const status = (body as { status?: unknown }).status;
    send(
      response,
      200,
      this.put(path, subresource === "status" ? ({ ...old, status } as KubeObject) : body),
    );
  }

  #patch(path: string, old: Stored, seen: SeenRequest, response: ServerResponse): void {
    const patch = seen.body as KubeObject;
    const uid = patch.metadata?.uid;
    if (uid !== undefined && uid !== old.metadata.uid) {
      sendStatus(
        response,
        409,
        "Conflict",
        `uid in precondition: ${uid}, in object: ${old.metadata.uid}`,
      );
      return;
    }
    const patched = applyStrategicPatch(old, patch) as KubeObject & {
      status?: Record<string, unknown>;
    };
    for (const field of this.unknownStatusFields) delete patched.status?.[field];
    send(response, 200, this.put(path, patched));
  }

  #delete(path: string, seen: SeenRequest, response: ServerResponse): void {
    const uid = (seen.body as { preconditions?: { uid?: string } } | undefined)?.preconditions?.uid;
    const old = this.#objects.get(path);
    if (uid !== undefined && uid !== old?.metadata.uid) {
      sendStatus(response, 409, "Conflict", "uid precondition");
      return;
    }
    this.remove(path);
    send(response, 200, old);
  }

  #list(seen: SeenRequest, collection: Collection, response: ServerResponse): void {
    const wanted = Number(seen.query.get("resourceVersion") ?? "0");
    if (wanted > 0 && wanted < this.#oldest) {
      sendStatus(response, 410, "Expired", "too old resource version");
      return;
    }
    // As API servers have it: with a limit and without resourceVersionMatch, exactly that version is listed.
    const exact = wanted > 0 && seen.query.has("limit") && !seen.query.has("resourceVersionMatch");
    const all = [...(exact ? this.#objectsAt(wanted) : this.#objects)]
      .filter(([key, object]) => selects({ collection, fields: fieldsOf(seen) }, key, object))
      .map(([, object]) => object);
    const from = Number(seen.query.get("continue") ?? "0");
    const limit = Number(seen.query.get("limit") ?? "0");
    const to = limit === 0 ? all.length : from + limit;
    const metadata = {
      resourceVersion: exact ? String(wanted) : this.version,
      ...(to < all.length ? { continue: String(to) } : {}),
    };
    send(response, 200, { kind: "List", metadata, items: all.slice(from, to) });
  }

  #objectsAt(version: number): Map<string, Stored> {
    const objects = new Map<string, Stored>();
    for (const { key, event } of this.#log.filter((entry) => entry.version <= version)) {
      if (event.type === "DELETED") objects.delete(key);
      else objects.set(key, event.object);
    }
    return objects;
  }

  #watch(seen: SeenRequest, collection: Collection, response: ServerResponse): void {
    const from = Number(seen.query.get("resourceVersion") ?? "0");
    if (from < this.#oldest) {
      sendStatus(response, 410, "Expired", "too old resource version");
      return;
    }
    const watcher = { collection, fields: fieldsOf(seen), response };
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    for (const { version, key, event } of this.#log)
      if (version > from && selects(watcher, key, event.object))
        response.write(`${JSON.stringify(event)}\n`);
    this.#watchers.add(watcher);
    response.on("close", () => this.#watchers.delete(watcher));
  }
}

function applyFault(fault: Fault, response: ServerResponse): void {
  if (fault.kind === "drop") response.destroy();
  else if (fault.kind === "silent-watch") {
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
  } else if (fault.kind === "status") {
    if (fault.retryAfter !== undefined) response.setHeader("retry-after", fault.retryAfter);
    const { code, reason = "", message = "injected", causes } = fault;
    sendStatus(response, code, reason, message, causes && { causes });
  }
}

function send(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function sendStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  message: string,
  details?: object,
): void {
  send(response, code, {
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    code,
    reason,
    message,
    ...(details ? { details } : {}),
  });
}

/** `/api/v1[/namespaces/NS]/RESOURCE[/NAME[/SUB]]` and `/apis/GROUP/VERSION…` alike. */
function parsePath(path: string): {
  collection: Collection;
  name: string | undefined;
  subresource: string | undefined;
} {
  const parts = path
    .split("/")
    .filter((part) => part !== "")
    .map(decodeURIComponent);
  const rootLength = parts[0] === "api" ? 2 : 3;
  const root = `/${parts.slice(0, rootLength).join("/")}`;
  const rest = parts.slice(rootLength);
  const namespaced = rest[0] === "namespaces" && rest.length > 2;
  const [resource = "", name, subresource] = namespaced ? rest.slice(2) : rest;
  return {
    collection: { root, resource, namespace: namespaced ? rest[1] : undefined },
    name,
    subresource,
  };
}

function fieldsOf(seen: SeenRequest): Map<string, string> {
  const selector = seen.query.get("fieldSelector") ?? "";
  return new Map(
    selector
      .split(",")
      .filter((part) => part !== "")
      .map((part) => part.split(/==?/) as [string, string]),
  );
}

function selects(
  wanted: { collection: Collection; fields: Map<string, string> },
  key: string,
  object: unknown,
): boolean {
  const { collection } = parsePath(key);
  const { root, resource, namespace } = wanted.collection;
  if (collection.root !== root || collection.resource !== resource) return false;
  if (namespace !== undefined && collection.namespace !== namespace) return false;
  return [...wanted.fields].every(([field, value]) => {
    let at: unknown = object;
    for (const part of field.split(".")) at = (at as Record<string, unknown> | undefined)?.[part];
    return (at ?? "") === value;
  });
}
