import { ApiError } from "../api/api-error.ts";
import type { SubresourceHandler } from "../http/resource-handler.ts";
import { type KubeletClientParts, kubeletAddress } from "./pod-log.ts";
import { relay } from "./relay.ts";

/** `/api/v1/nodes/NAME[:PORT]/proxy/...`: any path of the kubelet, with any method, upgrades included. */
export function nodeProxy(parts: KubeletClientParts): SubresourceHandler {
  return async (exchange, info) => {
    const [name = "", otherPort] = (info.name ?? "").split(":");
    const { host, port: kubeletPort } = kubeletAddress(parts.storage, name);
    const port = otherPort === undefined || otherPort === "" ? kubeletPort : Number(otherPort);
    const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    await relay(exchange, {
      url: `https://${authority}${proxiedPath(exchange.url)}`,
      keyPem: parts.keyPem,
      certificatePem: parts.certificatePem,
      answerTimeoutMs: parts.answerTimeoutMs,
      unreachable: (problem) => unreachable(`${host}:${port}`, problem),
    });
  };
}

/** What follows `/proxy`, as it was written, with the query. */
export function proxiedPath(url: URL): string {
  return `${url.pathname.replace(/^.*?\/proxy\/?/, "/")}${url.search}`;
}

export function unreachable(where: string, problem: NodeJS.ErrnoException): ApiError {
  const words = problem.code === "ECONNREFUSED" ? "connect: connection refused" : problem.message;
  const message = `error trying to reach service: dial tcp ${where}: ${words}`;
  return new ApiError(503, "ServiceUnavailable", message, {}, problem);
}
