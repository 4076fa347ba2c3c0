import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline } from "node:stream/promises";
import type { Node, Pod } from "kubernetes-types/core/v1.js";
import { ApiError, badRequest, notFound } from "../api/api-error.ts";
import { as } from "../api/object.ts";
import type { Exchange } from "../http/exchange.ts";
import type { SubresourceHandler } from "../http/resource-handler.ts";
import type { Storage } from "../storage/storage.ts";

export interface KubeletClientParts {
  readonly storage: Storage;
  /** The client certificate by which a kubelet knows the API server. */
  readonly keyPem: string;
  readonly certificatePem: string;
  /** How long a kubelet may take to answer, milliseconds. */
  readonly answerTimeoutMs: number;
}

/** The order in which kube-apiserver tries a node's addresses, unless it is told another. */
const addressTypes = ["Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP"];
const defaultKubeletPort = 10250;
const maxErrorBytes = 50_000;

/** Where the kubelet of a node listens. Throws when the node is unknown or has no address. */
export function kubeletAddress(storage: Storage, nodeName: string): { host: string; port: number } {
  const found = storage.find("nodes", undefined, nodeName);
  if (!found) throw notFound(storage.must("nodes"), nodeName);
  const { status } = as<Node>(found);
  const addresses = status?.addresses ?? [];
  for (const type of addressTypes) {
    const address = addresses.find((item) => item.type === type)?.address;
    if (!address) continue;
    const endpoint = status?.daemonEndpoints?.kubeletEndpoint as { Port?: number } | undefined;
    return { host: address, port: endpoint?.Port || defaultKubeletPort };
  }
  const known = addresses.map((item) => `${item.type}:${item.address}`).join(" ");
  throw new ApiError(
    500,
    "InternalError",
    `Internal error occurred: no preferred addresses found; known addresses: [${known}]`,
  );
}

/** Sends a request to a kubelet and gives its answer; the caller reads the body. Throws ApiError. */
async function askKubelet(
  parts: KubeletClientParts,
  nodeName: string,
  method: string,
  path: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { host, port } = kubeletAddress(parts.storage, nodeName);
  const url = `https://${host.includes(":") ? `[${host}]` : host}:${port}${path}`;
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      url,
      {
        method,
        key: parts.keyPem,
        cert: parts.certificatePem,
        // As with kubeadm: the kubelet's serving certificate is its own affair.
        rejectUnauthorized: false,
        agent: false,
        signal,
        timeout: parts.answerTimeoutMs,
      },
      (response) => {
        request.setTimeout(0);
        resolve(response);
      },
    );
    request.on("timeout", () => request.destroy(new Error("the kubelet does not answer")));
    request.on("error", (error: NodeJS.ErrnoException) => {
      const refused = error.code === "ECONNREFUSED" ? "connect: connection refused" : error.message;
      const where = `dial tcp ${host}:${port}: ${refused}`;
      const verb = method[0] + method.slice(1).toLowerCase();
      reject(new ApiError(500, "", `${verb} "${url}": ${where}`, {}, error));
    });
    request.end();
  });
}

const logOptions = [
  "follow",
  "previous",
  "timestamps",
  "sinceSeconds",
  "sinceTime",
  "tailLines",
  "limitBytes",
  "stream",
] as const;

/** Which container `kubectl logs` means; the texts of `podContainerForLog` (pkg/registry/core/pod/strategy.go). */
export function containerOf(pod: Pod, given: string | null): string {
  const { spec, metadata } = pod;
  const containers = (spec?.containers ?? []).map((item) => item.name);
  const init = (spec?.initContainers ?? []).map((item) => item.name);
  const ephemeral = (spec?.ephemeralContainers ?? []).map((item) => item.name);
  const name = metadata?.name ?? "";
  if (!given) {
    if (containers.length + init.length + ephemeral.length === 1) return containers[0] ?? "";
    if (containers.length === 1 && init.length === 0) return containers[0] ?? "";
    const initText = init.length > 0 ? ` or one of the init containers: [${init.join(" ")}]` : "";
    throw badRequest(
      `a container name must be specified for pod ${name}, choose one of: [${containers.join(" ")}]${initText}`,
    );
  }
  if (![...containers, ...init, ...ephemeral].includes(given)) {
    throw badRequest(`container ${given} is not valid for pod ${name}`);
  }
  return given;
}

function logQuery(query: URLSearchParams): string {
  const parameters = new URLSearchParams();
  for (const option of logOptions) {
    const value = query.get(option);
    if (value === null || value === "" || value === "false") continue;
    parameters.set(option, value);
  }
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

function checkLogQuery(query: URLSearchParams): void {
  for (const [option, least] of [
    ["tailLines", 0],
    ["limitBytes", 1],
    ["sinceSeconds", 1],
  ] as const) {
    const value = query.get(option);
    if (value === null || value === "") continue;
    if (!/^-?\d+$/.test(value)) throw badRequest(`${option} must be a number, got ${value}`);
    if (Number(value) < least) {
      const text = least === 0 ? "must be greater than or equal to 0" : "must be greater than 0";
      throw new ApiError(
        422,
        "Invalid",
        `PodLogOptions "" is invalid: ${option}: Invalid value: ${value}: ${text}`,
        {
          kind: "PodLogOptions",
          causes: [{ reason: "FieldValueInvalid", field: option, message: text }],
        },
      );
    }
  }
  if (query.get("sinceSeconds") && query.get("sinceTime")) {
    throw badRequest("at most one of `sinceTime` or `sinceSeconds` may be specified");
  }
}

/** `pods/log`: the kubelet's /containerLogs, streamed as it comes. */
export function podLog(parts: KubeletClientParts): SubresourceHandler {
  return async (exchange, info, target) => {
    const name = info.name ?? "";
    const found = parts.storage.find("pods", target.namespace, name);
    if (!found) throw notFound(target.definition, name);
    const pod = as<Pod>(found);
    checkLogQuery(exchange.query);
    const container = containerOf(pod, exchange.query.get("container"));
    if (!pod.spec?.nodeName) {
      exchange.response.writeHead(204).end();
      return;
    }
    const segments = [target.namespace ?? "", name, container].map(encodeURIComponent);
    const path = `/containerLogs/${segments.join("/")}${logQuery(exchange.query)}`;
    const abort = new AbortController();
    exchange.response.on("close", () => abort.abort());
    const answer = await askKubelet(parts, pod.spec.nodeName, "GET", path, abort.signal);
    await checkAnswer(answer, name);
    await relay(exchange, answer);
  };
}

async function relay(exchange: Exchange, answer: IncomingMessage): Promise<void> {
  const { response } = exchange;
  response.writeHead(200, { "content-type": "text/plain", "cache-control": "no-cache, private" });
  response.flushHeaders();
  try {
    await pipeline(answer, response);
  } catch {
    // Either side left; what was sent is sent, and the broken connection tells the client.
    response.destroy();
  }
}

/** Other than 2xx: as `GenericHttpResponseChecker` puts it. */
async function checkAnswer(answer: IncomingMessage, name: string): Promise<void> {
  const code = answer.statusCode ?? 500;
  if (code >= 200 && code < 300) return;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxErrorBytes) break;
  }
  const text = Buffer.concat(chunks).toString("utf8").trim();
  if (code === 400) throw badRequest(text);
  if (code === 500) {
    throw new ApiError(500, "InternalError", `Internal error occurred: ${text}`, {
      causes: [{ message: text }],
    });
  }
  throw kubeletRefusal(code, name, text);
}

const refusals: Readonly<Record<number, readonly [ApiError["reason"], string]>> = {
  401: ["Unauthorized", "the server has asked for the client to provide credentials"],
  403: ["Forbidden", "unknown"],
  404: ["NotFound", "the server could not find the requested resource"],
  405: ["MethodNotAllowed", "the server does not allow this method on the requested resource"],
  422: ["Invalid", "the server rejected our request due to an error in our request"],
  503: ["ServiceUnavailable", "the server is currently unable to handle the request"],
};

function kubeletRefusal(code: number, name: string, text: string): ApiError {
  const [reason, sentence] = refusals[code] ?? [
    "",
    `the server responded with the status code ${code} but did not return more information`,
  ];
  return new ApiError(code, reason, `${sentence} ( pods/log ${name})`, {
    name,
    kind: "pods/log",
    causes: [{ reason: "UnexpectedServerResponse", message: text }],
  });
}
