import { pipeline } from "node:stream/promises";
import { methodNotAllowed } from "../api/api-error.ts";
import type { SubresourceHandler } from "../http/resource-handler.ts";
import { askKubelet, type KubeletClientParts } from "./pod-log.ts";

/** `GET /api/v1/nodes/NAME/proxy/...`: a path of the kubelet, for reading. */
export function nodeProxy(parts: KubeletClientParts): SubresourceHandler {
  return async (exchange, info) => {
    if (exchange.request.method !== "GET") throw methodNotAllowed();
    const [name = ""] = (info.name ?? "").split(":");
    const rest = exchange.url.pathname.replace(/^.*?\/proxy\/?/, "/");
    const abort = new AbortController();
    exchange.response.on("close", () => abort.abort());
    const path = `${rest}${exchange.url.search}`;
    const answer = await askKubelet(parts, name, "GET", path, abort.signal);
    exchange.response.writeHead(answer.statusCode ?? 502, {
      "content-type": answer.headers["content-type"] ?? "text/plain",
    });
    try {
      await pipeline(answer, exchange.response);
    } catch {
      exchange.response.destroy();
    }
  };
}
