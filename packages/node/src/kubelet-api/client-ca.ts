import { isKubeError, type KubeClient, paths } from "@interlink/kube";
import type { ConfigMap } from "kubernetes-types/core/v1.js";

/**
 * The CA that signed the client certificates of this cluster's API server, as the cluster publishes it for servers
 * behind it (`kube-system/extension-apiserver-authentication`). Undefined when it is not there or may not be read
 * (Role `extension-apiserver-authentication-reader`): then only bearer tokens are accepted.
 */
export async function findClientCa(
  client: KubeClient,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = paths.configMaps.named("kube-system", "extension-apiserver-authentication");
  try {
    const published = await client.get<ConfigMap>(path, { signal });
    return published.data?.["client-ca-file"];
  } catch (error) {
    if (isKubeError(error, "not-found", "forbidden")) return undefined;
    throw error;
  }
}
