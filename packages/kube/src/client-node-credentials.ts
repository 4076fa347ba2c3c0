import type { RequestOptions } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import type { CredentialSource, KubeCredentials, TlsMaterial } from "./credentials.ts";
import { KubeError } from "./errors.ts";

/**
 * The one file that uses client-node: exec plugins, auth providers, OIDC and merged kubeconfigs. It costs 0.6 s to
 * import, so `credentials.ts` imports it only when such a kubeconfig is met.
 */
export function clientNodeCredentials(
  source: Exclude<CredentialSource, "in-cluster">,
): KubeCredentials {
  const config = new KubeConfig();
  try {
    if (source === "default") config.loadFromDefault();
    else if ("kubeconfigYaml" in source) config.loadFromString(source.kubeconfigYaml);
    else config.loadFromFile(source.kubeconfigFile);
    if (source !== "default" && source.context !== undefined)
      config.setCurrentContext(source.context);
  } catch (error) {
    throw new KubeError("credentials", "The kubeconfig cannot be used.", { cause: error });
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new KubeError("credentials", "The kubeconfig's current context names no cluster.");
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace;
  // client-node keeps an exec plugin's answer until it runs out, so asking each time is cheap.
  const apply = async (): Promise<RequestOptions> => {
    const options: RequestOptions = { headers: {} };
    try {
      await config.applyToHTTPSOptions(options);
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      throw new KubeError("credentials", `The kubeconfig's login failed: ${words}`, {
        cause: error,
      });
    }
    return options;
  };
  return {
    server: cluster.server.replace(/\/+$/, ""),
    ...(namespace === undefined ? {} : { namespace }),
    ...(cluster.proxyUrl === undefined ? {} : { proxyUrl: cluster.proxyUrl }),
    tls: async () => tlsOf(await apply()),
    authorization: async () => authorizationOf(await apply()),
  };
}

function tlsOf(options: RequestOptions): TlsMaterial {
  const ca = pem(options.ca);
  const cert = pem(options.cert);
  const key = pem(options.key);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(options.servername === undefined ? {} : { servername: options.servername }),
    ...(options.rejectUnauthorized === false ? { rejectUnauthorized: false } : {}),
  };
}

function pem(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return Buffer.isBuffer(value) ? value.toString("utf8") : undefined;
}

function authorizationOf(options: RequestOptions): string | undefined {
  if (typeof options.auth === "string")
    return `Basic ${Buffer.from(options.auth).toString("base64")}`;
  const { headers } = options;
  if (headers === undefined || Array.isArray(headers)) return undefined;
  const header = Object.entries(headers).find(([name]) => name.toLowerCase() === "authorization");
  return typeof header?.[1] === "string" ? header[1] : undefined;
}
