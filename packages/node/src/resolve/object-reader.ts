import { isKubeError, type KubeClient, paths, subresource } from "@interlink/kube";
import type { ConfigMap, Pod, Secret, Service } from "kubernetes-types/core/v1.js";
import { type PodObjects, podReferences, type TokenWish } from "./pod-objects.ts";
import { SharedReads } from "./shared-reads.ts";

export interface ObjectReaderOptions {
  client: KubeClient;
  /** Milliseconds; the same clock as `notBefore`. */
  now: () => number;
  /**
   * Stands in for the service `kubernetes`: an address of the cluster's API that the site can reach. The cluster's own
   * is seldom reachable from outside.
   */
  kubernetesService?: { host: string; port: number } | undefined;
  /** Services may not be read: pods get no service variables. Told once. */
  servicesForbidden?: (error: Error) => void;
}

/** Reads the objects that one pod names, and no others. Rejects with KubeError when the API server does not answer. */
export interface ObjectReader {
  read(pod: Pod, notBefore: number, signal: AbortSignal): Promise<PodObjects>;
}

export function createObjectReader(options: ObjectReaderOptions): ObjectReader {
  const { client, now } = options;
  const objects = new SharedReads<ConfigMap | Secret | undefined>(now);
  const services = new SharedReads<Service[]>(now);
  let toldForbidden = false;

  /** Existing objects by name. A shared question is not stopped by the one reader that asked it first. */
  async function named<T extends ConfigMap | Secret>(
    names: readonly string[],
    pathOf: (name: string) => string,
    notBefore: number,
  ): Promise<Map<string, T>> {
    const found = await Promise.all(
      names.map((name) =>
        objects.read(pathOf(name), notBefore, () => getOrNothing<T>(client, pathOf(name))),
      ),
    );
    const result = new Map<string, T>();
    for (const [index, object] of found.entries()) {
      if (object) result.set(names[index] ?? "", object as T);
    }
    return result;
  }

  async function servicesFor(namespace: string, notBefore: number): Promise<Service[]> {
    try {
      const path = paths.services.collection(namespace);
      const own = await services.read(path, notBefore, async () => {
        const { items } = await client.list<Service>(path);
        // Objects in a list may come without what all of them share.
        return items.map((one) => ({ ...one, metadata: { namespace, ...one.metadata } }));
      });
      return [...own, ...(await apiService(namespace, notBefore))];
    } catch (error) {
      if (!isKubeError(error, "forbidden")) throw error;
      if (!toldForbidden) options.servicesForbidden?.(error);
      toldForbidden = true;
      return [];
    }
  }

  async function apiService(namespace: string, notBefore: number): Promise<Service[]> {
    if (options.kubernetesService) return [standIn(options.kubernetesService)];
    if (namespace === "default") return [];
    const path = paths.services.named("default", "kubernetes");
    return services.read(path, notBefore, async () => {
      const service = await getOrNothing<Service>(client, path);
      return service ? [service] : [];
    });
  }

  return {
    async read(pod, notBefore, signal) {
      const namespace = pod.metadata?.namespace ?? "default";
      const wanted = podReferences(pod);
      const [configMaps, secrets, seen, tokens] = await Promise.all([
        named<ConfigMap>(
          wanted.configMaps,
          (name) => paths.configMaps.named(namespace, name),
          notBefore,
        ),
        named<Secret>(wanted.secrets, (name) => paths.secrets.named(namespace, name), notBefore),
        servicesFor(namespace, notBefore),
        Promise.all(wanted.tokens.map((wish) => requestToken(client, pod, wish, signal))),
      ]);
      return { configMaps, secrets, services: seen, tokens: new Map(tokens) };
    },
  };
}

async function getOrNothing<T>(client: KubeClient, path: string): Promise<T | undefined> {
  try {
    return await client.get<T>(path);
  } catch (error) {
    if (isKubeError(error, "not-found")) return undefined;
    throw error;
  }
}

/** A TokenRequest bound to the pod: the token dies with it (kubelet-contract.md 4.2). */
async function requestToken(
  client: KubeClient,
  pod: Pod,
  wish: TokenWish,
  signal: AbortSignal,
): Promise<[string, { token: string } | { error: string }]> {
  const { name = "", namespace = "default", uid = "" } = pod.metadata ?? {};
  const account = pod.spec?.serviceAccountName || "default";
  const path = subresource(paths.serviceAccounts.named(namespace, account), "token");
  try {
    const answer = await client.create<{ status?: { token?: string } }>(
      path,
      {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: {
          ...(wish.audience ? { audiences: [wish.audience] } : {}),
          expirationSeconds: wish.expirationSeconds,
          boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
        },
      },
      { signal },
    );
    const token = answer.status?.token;
    return [wish.key, token ? { token } : { error: "the API server answered without a token" }];
  } catch (error) {
    if (signal.aborted) throw error;
    // The pod waits for it like for a missing object; the sentence goes into its event.
    return [wish.key, { error: error instanceof Error ? error.message : String(error) }];
  }
}

function standIn({ host, port }: { host: string; port: number }): Service {
  return {
    metadata: { name: "kubernetes", namespace: "default" },
    spec: { clusterIP: host, ports: [{ name: "https", port, protocol: "TCP" }] },
  };
}
