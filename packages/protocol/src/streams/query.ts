import { ProtocolError } from "../errors.ts";
import { readerOf } from "../read/validate.ts";
import {
  AttachRequestSchema,
  ExecRequestSchema,
  PortForwardRequestSchema,
} from "../schemas/streams.ts";
import type { AttachRequest, ExecRequest, PortForwardRequest } from "./messages.ts";

// The requests of interactive streams as queries of the upgrade:
// namespace, pod, uid, container, command (repeated), stdin=1, stdout=1, stderr=1, tty=1, size=80x24, port.

const attachRequest = readerOf<AttachRequest>(AttachRequestSchema, "attach request");
const execRequest = readerOf<ExecRequest>(ExecRequestSchema, "exec request");
const portForwardRequest = readerOf<PortForwardRequest>(
  PortForwardRequestSchema,
  "port-forward request",
);

export function attachQuery(request: AttachRequest): URLSearchParams {
  const query = new URLSearchParams({
    namespace: request.Namespace,
    pod: request.PodName,
    uid: request.PodUID,
    container: request.ContainerName,
  });
  const flags = { stdin: "Stdin", stdout: "Stdout", stderr: "Stderr", tty: "TTY" } as const;
  for (const [name, field] of Object.entries(flags)) {
    if (request[field]) query.set(name, "1");
  }
  return query;
}

export function execQuery(request: ExecRequest): URLSearchParams {
  const query = attachQuery(request);
  for (const word of request.Command) query.append("command", word);
  if (request.Size) query.set("size", `${request.Size.width}x${request.Size.height}`);
  return query;
}

export function portForwardQuery(request: PortForwardRequest): URLSearchParams {
  return new URLSearchParams({
    namespace: request.Namespace,
    pod: request.PodName,
    uid: request.PodUID,
    port: String(request.Port),
  });
}

/** From the URL of an upgrade. Throws ProtocolError `invalid`. */
export function readAttachQuery(url: string): AttachRequest {
  const query = queryOf(url, [...POD, "container", ...FLAGS]);
  return sound(attachRequest(processFields(query)));
}

/** From the URL of an upgrade. Throws ProtocolError `invalid`. */
export function readExecQuery(url: string): ExecRequest {
  const query = queryOf(url, [...POD, "container", ...FLAGS, "command", "size"]);
  const Command = query.getAll("command");
  return sound(execRequest({ ...processFields(query), Command, ...sizeField(query) }));
}

/** From the URL of an upgrade. Throws ProtocolError `invalid`. */
export function readPortForwardQuery(url: string): PortForwardRequest {
  const query = queryOf(url, [...POD, "port"]);
  const port = query.get("port") ?? "";
  return portForwardRequest({
    ...podFields(query),
    Port: /^[0-9]{1,5}$/.test(port) ? Number(port) : port,
  });
}

const POD = ["namespace", "pod", "uid"];
const FLAGS = ["stdin", "stdout", "stderr", "tty"];

/** Only the known names, each at most once (but for the words of a command), flags only as `1`. */
function queryOf(url: string, known: readonly string[]): URLSearchParams {
  const at = url.indexOf("?");
  const query = new URLSearchParams(at === -1 ? "" : url.slice(at + 1));
  for (const name of new Set(query.keys())) {
    if (!known.includes(name)) {
      throw invalid(`"${name.slice(0, 50)}" is not a parameter; there are ${known.join(", ")}`);
    }
    const values = query.getAll(name);
    if (name !== "command" && values.length > 1) throw invalid(`${name} is given more than once`);
    if (FLAGS.includes(name) && values[0] !== "1") throw invalid(`${name} may only be 1`);
  }
  return query;
}

function podFields(query: URLSearchParams): Record<string, unknown> {
  return {
    Namespace: query.get("namespace"),
    PodName: query.get("pod"),
    PodUID: query.get("uid"),
  };
}

function processFields(query: URLSearchParams): Record<string, unknown> {
  return {
    ...podFields(query),
    ContainerName: query.get("container"),
    Stdin: query.has("stdin"),
    Stdout: query.has("stdout"),
    Stderr: query.has("stderr"),
    TTY: query.has("tty"),
  };
}

function sizeField(query: URLSearchParams): { Size?: unknown } {
  const size = query.get("size");
  if (size === null) return {};
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(size) ?? [];
  if (height === undefined) throw invalid("size is columns and rows, as in 80x24");
  return { Size: { width: Number(width), height: Number(height) } };
}

/** What a kubelet refuses as well. */
function sound<T extends AttachRequest>(request: T): T {
  if (!request.Stdin && !request.Stdout && !request.Stderr) {
    throw invalid("you must specify at least 1 of stdin, stdout, stderr");
  }
  if (request.TTY && request.Stderr) {
    throw invalid("tty and stderr are both set; a terminal has one output");
  }
  return request;
}

function invalid(words: string): ProtocolError {
  return new ProtocolError("invalid", words);
}
