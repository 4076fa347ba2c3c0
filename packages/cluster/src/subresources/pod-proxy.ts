import type { Container, Pod } from "kubernetes-types/core/v1.js";
import { badRequest, notFound } from "../api/api-error.ts";
import { as } from "../api/object.ts";
import type { SubresourceHandler } from "../http/resource-handler.ts";
import type { Storage } from "../storage/storage.ts";
import { proxiedPath, unreachable } from "./node-proxy.ts";
import { relay } from "./relay.ts";

const DEFAULT_PORT = 80;

/**
 * `pods/NAME/proxy/...`, also `pods/SCHEME:NAME:PORT/proxy/...`: an HTTP server in the pod, by the pod's address. It
 * is reached from this machine, or not at all.
 */
export function podProxy(storage: Storage, answerTimeoutMs: number): SubresourceHandler {
  return async (exchange, info, target) => {
    const { scheme, name, port } = destination(info.name ?? "");
    const found = storage.find("pods", target.namespace, name);
    if (!found) throw notFound(target.definition, name);
    const pod = as<Pod>(found);
    const host = pod.status?.podIP;
    if (!host) throw badRequest(`address not allowed: pod ${name} has no IP yet`);
    const number = port === undefined ? firstPort(pod) : portNumber(pod, port);
    const authority = `${host.includes(":") ? `[${host}]` : host}:${number}`;
    await relay(exchange, {
      url: `${scheme}://${authority}${proxiedPath(exchange.url)}`,
      answerTimeoutMs,
      unreachable: (problem) => unreachable(authority, problem),
    });
  };
}

/** `NAME`, `NAME:PORT`, `SCHEME:NAME:PORT` (apimachinery, SplitSchemeNamePort). */
function destination(text: string): { scheme: string; name: string; port: string | undefined } {
  const parts = text.split(":");
  const [scheme = "", name = "", port] = parts.length === 3 ? parts : ["http", ...parts];
  if (parts.length > 3 || !["", "http", "https"].includes(scheme)) {
    throw badRequest(`invalid pod request ${JSON.stringify(text)}`);
  }
  return { scheme: scheme === "" ? "http" : scheme, name, port: port === "" ? undefined : port };
}

function portsOf(pod: Pod): NonNullable<Container["ports"]> {
  return (pod.spec?.containers ?? []).flatMap(({ ports = [] }) => ports);
}

function firstPort(pod: Pod): number {
  return portsOf(pod)[0]?.containerPort ?? DEFAULT_PORT;
}

function portNumber(pod: Pod, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 65_535) return number;
  const named = portsOf(pod).find(({ name }) => name === text)?.containerPort;
  if (named === undefined) throw badRequest(`pod has no port ${JSON.stringify(text)}`);
  return named;
}
