import type { ServiceAccountTokens } from "../auth/service-account-tokens.ts";
import type { Discovery } from "../discovery/discovery.ts";
import type { PathHandler } from "./api-server.ts";

/** What this server claims to be. The suffix makes plain that it is not a real kube-apiserver. */
export const gitVersion = "v1.33.0+interlink-embedded";

const version = {
  major: "1",
  minor: "33",
  gitVersion,
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "none",
  compiler: "none",
  platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
};

const healthPaths = /^\/(healthz|livez|readyz)(\/.*)?$/;

/** `/healthz`, `/livez`, `/readyz`, `/version`. */
export const basicPaths: PathHandler = async (exchange) => {
  const path = exchange.url.pathname;
  if (healthPaths.test(path)) {
    exchange.text(200, "ok", "text/plain; charset=utf-8");
    return true;
  }
  if (path === "/version" || path === "/version/") {
    exchange.json(200, version);
    return true;
  }
  return false;
};

export function discoveryPaths(discovery: Discovery, serverAddress: () => string): PathHandler {
  return async (exchange) => {
    const { accept } = exchange.request.headers;
    const answer = discovery.answer(exchange.url.pathname, accept, serverAddress());
    if (!answer) return false;
    exchange.text(200, JSON.stringify(answer.body), answer.contentType);
    return true;
  };
}

/** The public half of the key that signs service account tokens. */
export function issuerPaths(tokens: ServiceAccountTokens): PathHandler {
  return async (exchange) => {
    const path = exchange.url.pathname;
    if (path === "/openid/v1/jwks") {
      exchange.json(200, { keys: [await tokens.jwk()] });
      return true;
    }
    if (path === "/.well-known/openid-configuration") {
      exchange.json(200, {
        issuer: tokens.issuer,
        jwks_uri: `https://${exchange.request.headers.host ?? ""}/openid/v1/jwks`,
        response_types_supported: ["id_token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["ES256"],
      });
      return true;
    }
    return false;
  };
}
