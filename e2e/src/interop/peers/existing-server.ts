import type { ServerResponse } from "node:http";
import type { ConfigMap, Pod, Secret } from "kubernetes-types/core/v1.js";
import { field, type GoPodStatus, podStatuses, text } from "./go-decode.ts";
import { type GoRequest, GoServer, goOpen, goText } from "./go-http.ts";

const LABEL = /^[a-z0-9][a-z0-9-]*[a-z0-9]$|^[a-z0-9]$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const NO_JOB_CONFIG = {
  SingularityHubProxy: { server: "", master_token: "", cache_validity_seconds: 0 },
  ApptainerOptions: {
    executable: "",
    fakeroot: false,
    containall: false,
    fuseMode: "",
    noInit: false,
    noHome: false,
    noPrivs: false,
    nvidiaSupport: false,
    cleanenv: false,
    unsquash: false,
  },
  Volumes: {
    scratch_area: "",
    apptainer_cachedir: "",
    image_dir: "",
    additional_directories_in_path: null,
    fuse_sleep_seconds: 0,
  },
};

/**
 * The existing API server (reference: wire and node, 1.1 to 1.6, 12.1), without jobs scripts: any method, a status answered
 * from what it once heard, the plugin's errors wrapped and escaped, the end of the process at bodies that it cannot read.
 */
export class ExistingServer extends GoServer {
  readonly #plugin: string;
  readonly #seen = new Map<string, GoPodStatus>();
  /** Its process has ended (A1). */
  ended = false;

  constructor(plugin: string) {
    super();
    this.#plugin = plugin;
  }

  protected async answer(request: GoRequest, response: ServerResponse): Promise<void> {
    switch (request.path) {
      case "/create":
        return this.#create(request, response);
      case "/delete":
        return this.#delete(request, response);
      case "/status":
        return this.#status(request, response);
      case "/getLogs":
        return this.#logs(request, response);
      case "/pinglink":
        return this.#ping(response);
      case "/updateCache":
        this.#seen.delete(request.body);
        return goText(response, 200, "Updated cache");
      default:
        return goText(response, 404, "404 page not found\n");
    }
  }

  async #create(request: GoRequest, response: ServerResponse): Promise<void> {
    let data: string;
    try {
      data = JSON.stringify(retrieved(JSON.parse(request.body)));
    } catch {
      return goText(response, 500);
    }
    await this.#forward(request, response, "POST", "/create", data);
  }

  async #delete(request: GoRequest, response: ServerResponse): Promise<void> {
    try {
      const { metadata } = JSON.parse(request.body) as Pod;
      this.#seen.delete(metadata?.uid ?? "");
    } catch {
      goText(response, 500);
      this.ended = true;
      await this[Symbol.asyncDispose]();
      return;
    }
    // The same bytes, not written anew.
    await this.#forward(request, response, "POST", "/delete", request.body);
  }

  async #status(request: GoRequest, response: ServerResponse): Promise<void> {
    let pods: Pod[] = [];
    try {
      pods = (JSON.parse(request.body) as Pod[] | null) ?? [];
    } catch {
      // Taken for an empty list.
    }
    const asked = pods.filter(
      ({ metadata, status }) =>
        ["Running", "Pending"].includes(status?.phase ?? "") ||
        !this.#seen.has(metadata?.uid ?? ""),
    );
    if (asked.length > 0) {
      const answer = await this.#ask(request, "GET", "/status", JSON.stringify(asked));
      if (answer === undefined) return goText(response, 500);
      const { code, body } = answer;
      if (code !== 200) return goText(response, code, wrapped(request, body));
      try {
        for (const status of podStatuses(body)) this.#seen.set(status.UID, status);
      } catch {
        response.writeHead(200).end();
        return;
      }
    }
    const wanted =
      pods.length === 0 ? [...this.#seen.keys()] : pods.map((pod) => pod.metadata?.uid ?? "");
    const known = wanted.flatMap((uid) => this.#seen.get(uid) ?? []);
    goText(response, 200, known.length === 0 ? "null" : JSON.stringify(known));
  }

  async #logs(request: GoRequest, response: ServerResponse): Promise<void> {
    let wanted: unknown;
    try {
      wanted = JSON.parse(request.body);
    } catch {
      return goText(response, 400, "invalid request body\n");
    }
    const problem = logProblem(wanted);
    if (problem !== undefined) return goText(response, 400, `${problem}\n`);
    await this.#forward(request, response, "GET", "/getLogs", JSON.stringify(wanted));
  }

  /** The caller's id is lost. */
  async #ping(response: ServerResponse): Promise<void> {
    const request: GoRequest = { method: "POST", path: "/pinglink", headers: {}, body: "" };
    const answer = await this.#ask(request, "GET", "/status", "[]");
    if (answer === undefined) return goText(response, 500, "503");
    if (answer.code !== 200)
      return goText(response, answer.code, `${wrapped(request, answer.body)}503`);
    response.writeHead(200).end(answer.body);
  }

  async #ask(request: GoRequest, method: string, path: string, body: string) {
    try {
      const incoming = await goOpen(this.#plugin, method, path, body, sessionOf(request));
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      return { code: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") };
    } catch {
      return undefined;
    }
  }

  /** The plugin's answer, flushed piece by piece, without a content type; anything but 200 is an error. */
  async #forward(
    request: GoRequest,
    response: ServerResponse,
    method: string,
    path: string,
    body: string,
  ): Promise<void> {
    const incoming = await goOpen(this.#plugin, method, path, body, sessionOf(request)).catch(
      () => undefined,
    );
    if (incoming === undefined) return goText(response, 500);
    const code = incoming.statusCode ?? 0;
    response.writeHead(code);
    response.flushHeaders();
    if (code === 200) {
      for await (const chunk of incoming) response.write(chunk);
      response.end();
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    response.end(wrapped(request, Buffer.concat(chunks).toString("utf8")));
  }
}

function sessionOf({ headers }: GoRequest): Record<string, string> {
  const session = headers["interlink-http-session"];
  return {
    "Content-Type": "application/json",
    "InterLink-Http-Session":
      typeof session === "string" ? session : "Request-00000000-0000-4000-8000-000000000000",
  };
}

/** 1.6: the text always says 500, and is escaped for HTML. */
function wrapped(request: GoRequest, body: string): string {
  const session = sessionOf(request)["InterLink-Http-Session"];
  const plain = `HTTP InterLink session ${session}:  call exit status: 500. Body: ${body}`;
  const escapes: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&#34;",
    "'": "&#39;",
  };
  return plain.replace(/[&<>"']/g, (char) => escapes[char] ?? char);
}

function logProblem(wanted: unknown): string | undefined {
  const options = field(wanted, "Opts");
  const number = (name: string) => Number(field(options, name) ?? 0);
  if (!LABEL.test(text(wanted, "Namespace"))) return "invalid namespace: must be a valid DNS label";
  if (!UUID.test(text(wanted, "PodUID"))) return "invalid pod UID: must be a valid UUID";
  const container = text(wanted, "ContainerName");
  if (container !== "" && !LABEL.test(container))
    return "invalid container name: must be a valid DNS label";
  if (number("Tail") !== 0 && number("Bytes") !== 0)
    return "Both Tail and LimitBytes set. Set only one of them";
  const since = field(options, "SinceTime") ?? "0001-01-01T00:00:00Z";
  if (number("SinceSeconds") !== 0 && since !== "0001-01-01T00:00:00Z") {
    return "Both SinceSeconds and SinceTime set. Set only one of them";
  }
  return undefined;
}

interface CreateRequest {
  pod: Pod;
  configmaps: ConfigMap[] | null;
  secrets: Secret[] | null;
  projectedvolumesmaps: ConfigMap[] | null;
}

/** 1.4: init containers first; one entry per mount; `emptyDirs` never filled; `jobConfig` always there. */
function retrieved(request: CreateRequest): object {
  const { pod } = request;
  const named = <T extends ConfigMap | Secret>(
    objects: T[] | null,
    name: string | undefined,
  ): T[] => (objects ?? []).filter(({ metadata }) => metadata?.name === name);
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const orNull = <T>(items: T[]): T[] | null => (items.length === 0 ? null : items);
  const container = containers.map(({ name, volumeMounts = [] }) => {
    const volumes = volumeMounts.flatMap(
      (mount) => pod.spec?.volumes?.find((volume) => volume.name === mount.name) ?? [],
    );
    return {
      name,
      configMaps: orNull(
        volumes.flatMap(({ configMap }) =>
          configMap ? named(request.configmaps, configMap.name) : [],
        ),
      ),
      projectedvolumemaps: orNull(
        volumes.flatMap((volume) =>
          volume.projected ? named(request.projectedvolumesmaps, volume.name) : [],
        ),
      ),
      secrets: orNull(
        volumes.flatMap(({ secret }) => (secret ? named(request.secrets, secret.secretName) : [])),
      ),
      emptyDirs: null,
    };
  });
  return { pod, container: orNull(container), jobConfig: NO_JOB_CONFIG };
}
