import { isKubeError, type KubeClient, paths } from "@interlink/kube";
import type { ConfigMap, Pod, Secret, Service } from "kubernetes-types/core/v1.js";
import { type PodObjects, podReferences } from "./pod-objects.ts";
import { DEFAULT_TOKEN_TIMING, PodTokens, type TokenTiming } from "./pod-tokens.ts";
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
  /** Default: as a kubelet. */
  tokens?: TokenTiming;
  /** Milliseconds since the epoch. Default: the machine's clock. */
  wallMs?: () => number;
  random?: () => number;
  /** Services may not be read: pods get no service variables. Told once until they may. */
  servicesForbidden?: (error: Error) => void;
}

/** Reads the objects that one pod names, and no others. Rejects with KubeError when the API server does not answer. */
export interface ObjectReader {
  read(pod: Pod, notBefore: number, signal: AbortSignal): Promise<PodObjects>;
  /** The same with empty tokens, to see whether anything else has changed: none is asked for. */
  readWithoutTokens(pod: Pod, notBefore: number, signal: AbortSignal): Promise<PodObjects>;
  /** The pod's tokens alone: those that are held and fresh, new ones else. */
  tokens(pod: Pod, signal: AbortSignal): Promise<PodObjects["tokens"]>;
  /** Milliseconds until the first of the pod's tokens is to be renewed; undefined when none is held. */
  tokensDueInMs(uid: string): number | undefined;
  /** The pod is gone. */
  forget(uid: string): void;
}

/** For how long a refusal is taken for one of an API server that has just started and knows no roles: pods wait. */
const REFUSED_MS = 15_000;

export function createObjectReader(options: ObjectReaderOptions): ObjectReader {
  const { client, now } = options;
  const objects = new SharedReads<ConfigMap | Secret | undefined>(now);
  const services = new SharedReads<Service[]>(now);
  const tokens = new PodTokens({
    client,
    now,
    wallMs: options.wallMs ?? Date.now,
    random: options.random ?? Math.random,
    timing: options.tokens ?? DEFAULT_TOKEN_TIMING,
  });
  /** When the first of the refusals in a row came; `now`'s clock. */
  let refusedAt: number | undefined;
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
      const api = await apiService(namespace, notBefore);
      refusedAt = undefined;
      toldForbidden = false;
      return options.kubernetesService
        ? [...own.filter((one) => !isApiService(one)), ...api]
        : [...own, ...api];
    } catch (error) {
      if (!isKubeError(error, "forbidden")) throw error;
      refusedAt ??= now();
      if (now() - refusedAt < REFUSED_MS) throw error;
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

  async function readWithoutTokens(pod: Pod, notBefore: number): Promise<PodObjects> {
    const namespace = pod.metadata?.namespace ?? "default";
    const wanted = podReferences(pod);
    const [configMaps, secrets, seen] = await Promise.all([
      named<ConfigMap>(
        wanted.configMaps,
        (name) => paths.configMaps.named(namespace, name),
        notBefore,
      ),
      named<Secret>(wanted.secrets, (name) => paths.secrets.named(namespace, name), notBefore),
      servicesFor(namespace, notBefore),
    ]);
    const empty = new Map(wanted.tokens.map(({ key }) => [key, { token: "" }]));
    return { configMaps, secrets, services: seen, tokens: empty };
  }

  const tokensOf = (pod: Pod, signal: AbortSignal) =>
    tokens.get(pod, podReferences(pod).tokens, signal);

  return {
    readWithoutTokens,
    async read(pod, notBefore, signal) {
      const [rest, own] = await Promise.all([
        readWithoutTokens(pod, notBefore),
        tokensOf(pod, signal),
      ]);
      return { ...rest, tokens: own };
    },
    tokens: tokensOf,
    tokensDueInMs: (uid) => tokens.dueInMs(uid),
    forget: (uid) => tokens.forget(uid),
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

function isApiService({ metadata }: Service): boolean {
  return metadata?.namespace === "default" && metadata.name === "kubernetes";
}

function standIn({ host, port }: { host: string; port: number }): Service {
  return {
    metadata: { name: "kubernetes", namespace: "default" },
    spec: { clusterIP: host, ports: [{ name: "https", port, protocol: "TCP" }] },
  };
}
