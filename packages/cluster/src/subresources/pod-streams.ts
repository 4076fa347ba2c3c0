import type { Pod } from "kubernetes-types/core/v1.js";
import { ApiError, badRequest, methodNotAllowed, notFound } from "../api/api-error.ts";
import { as } from "../api/object.ts";
import type { Exchange } from "../http/exchange.ts";
import type { ResourceRequest } from "../http/request-info.ts";
import type { SubresourceHandler } from "../http/resource-handler.ts";
import type { Target } from "../rest/call.ts";
import { containerOf, type KubeletClientParts, kubeletAddress } from "./pod-log.ts";
import { relay } from "./relay.ts";

/** What the API calls the streams, and what the kubelet does (`streamParams`, pkg/registry/core/pod/strategy.go). */
const FLAGS = { stdin: "input", stdout: "output", stderr: "error", tty: "tty" } as const;

/** `pods/exec` and `pods/attach`: the kubelet's, one connection from the client to the node. */
export function podCommand(parts: KubeletClientParts, kind: "exec" | "attach"): SubresourceHandler {
  return async (exchange, info, target) => {
    const pod = podOf(parts, exchange, info, target);
    const container = containerOf(pod, exchange.query.get("container"));
    const query = new URLSearchParams();
    for (const [from, to] of Object.entries(FLAGS)) {
      const value = exchange.query.get(from);
      if (value !== null && value !== "false" && value !== "0") query.set(to, "1");
    }
    if (kind === "exec") {
      for (const word of exchange.query.getAll("command")) query.append("command", word);
    }
    await toKubelet(parts, exchange, pod, [kind, ...nameOf(pod), container], query);
  };
}

/** `pods/portforward`. */
export function podPortForward(parts: KubeletClientParts): SubresourceHandler {
  return async (exchange, info, target) => {
    const pod = podOf(parts, exchange, info, target);
    const query = new URLSearchParams();
    const ports = exchange.query.getAll("ports").flatMap((value) => value.split(","));
    if (ports.length > 0) query.set("port", ports.join(","));
    await toKubelet(parts, exchange, pod, ["portForward", ...nameOf(pod)], query);
  };
}

function podOf(
  { storage }: KubeletClientParts,
  { request }: Exchange,
  { name = "" }: ResourceRequest,
  { definition, namespace }: Target,
): Pod {
  if (request.method !== "GET" && request.method !== "POST") throw methodNotAllowed();
  const found = storage.find("pods", namespace, name);
  if (!found) throw notFound(definition, name);
  const pod = as<Pod>(found);
  if (!pod.spec?.nodeName) throw badRequest(`pod ${name} does not have a host assigned`);
  return pod;
}

function nameOf({ metadata }: Pod): string[] {
  return [metadata?.namespace ?? "", metadata?.name ?? ""];
}

async function toKubelet(
  parts: KubeletClientParts,
  exchange: Exchange,
  pod: Pod,
  segments: readonly string[],
  query: URLSearchParams,
): Promise<void> {
  const { host, port } = kubeletAddress(parts.storage, pod.spec?.nodeName ?? "");
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const text = query.toString();
  const path = segments.map(encodeURIComponent).join("/");
  await relay(exchange, {
    url: `https://${authority}/${path}${text === "" ? "" : `?${text}`}`,
    keyPem: parts.keyPem,
    certificatePem: parts.certificatePem,
    answerTimeoutMs: parts.answerTimeoutMs,
    unreachable: (problem) => {
      const words =
        problem.code === "ECONNREFUSED" ? "connect: connection refused" : problem.message;
      const message = `error dialing backend: dial tcp ${host}:${port}: ${words}`;
      return new ApiError(500, "InternalError", message, {}, problem);
    },
  });
}
