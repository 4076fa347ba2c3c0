import type { PathHandler } from "../http/api-server.ts";
import type { OpenApi } from "./document.ts";

// With a dot for the @ that the client asks with: media types may not hold one.
const v2Protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/**
 * `/openapi/v3` and `/openapi/v2`. Version 2 is asked for by kubectl before 1.27, as protobuf: it gets a document with
 * no definitions, which it takes as leave to skip its own validation (this server validates anyway).
 */
export function openApiPaths(openApi: OpenApi): PathHandler {
  return async (exchange) => {
    const path = exchange.url.pathname;
    if (path === "/openapi/v3") {
      exchange.json(200, openApi.index());
      return true;
    }
    if (path.startsWith("/openapi/v3/")) {
      const text = openApi.document(path.slice("/openapi/v3/".length));
      if (text === undefined) return false;
      exchange.text(200, text, "application/json");
      return true;
    }
    if (path === "/openapi/v2") {
      if ((exchange.request.headers.accept ?? "").includes("protobuf")) {
        exchange.text(200, "", v2Protobuf);
      } else {
        const info = { title: "Kubernetes", version: "v1.33.0" };
        exchange.json(200, { swagger: "2.0", info, paths: {}, definitions: {} });
      }
      return true;
    }
    return false;
  };
}
