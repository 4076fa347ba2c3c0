import { isKubeError, type KubeClient } from "@interlink/kube";
import { CliError } from "../cli-error.ts";
import type { Manifest, ManifestObject } from "./manifests.ts";

interface ApiResource {
  name: string;
  kind: string;
  namespaced: boolean;
}

/** An applied object, as the API server stored it. */
export interface Applied {
  kind: string;
  namespace: string | undefined;
  name: string;
  uid: string;
}

/**
 * Create the objects in order. The kinds are looked up in the API server's discovery, so whatever it serves can be
 * applied. Field typos are refused by the server (`fieldValidation=Strict`) and told with the manifest's line.
 */
export async function applyManifests(
  kube: KubeClient,
  manifests: readonly Manifest[],
  signal: AbortSignal,
): Promise<Applied[]> {
  const discovered = new Map<string, Promise<ApiResource[]>>();
  const applied: Applied[] = [];
  for (const { object, source } of manifests) {
    const base = groupPath(object.apiVersion);
    const resources = discovered.get(base) ?? resourcesOf(kube, base, signal);
    discovered.set(base, resources);
    try {
      const served = await resources;
      const resource = served.find(({ kind }) => kind === object.kind);
      if (resource === undefined) throw new Error(unknownKind(object, served));
      applied.push(await create(kube, base, resource, object, signal));
    } catch (error) {
      throw new CliError("manifest", `${source}: ${reason(error, object)}`, { cause: error });
    }
  }
  return applied;
}

/** What is served under a group and version; nothing, if the API server does not know it. */
async function resourcesOf(
  kube: KubeClient,
  base: string,
  signal: AbortSignal,
): Promise<ApiResource[]> {
  try {
    const { resources = [] } = await kube.get<{ resources?: ApiResource[] }>(base, { signal });
    return resources.filter(({ name }) => !name.includes("/"));
  } catch (error) {
    if (isKubeError(error, "not-found")) return [];
    throw error;
  }
}

function unknownKind({ apiVersion, kind }: ManifestObject, served: readonly ApiResource[]): string {
  if (apiVersion === "apps/v1") {
    return `the embedded cluster has no ${kind}s: take a Pod or a Job, or a real cluster.`;
  }
  return served.length === 0
    ? `the embedded cluster does not serve the apiVersion ${apiVersion}. \`kubectl api-resources\` shows what it serves.`
    : `there is no kind ${kind} in ${apiVersion}; there are ${[...new Set(served.map((one) => one.kind))].join(", ")}.`;
}

/** The API server's own sentence, without the request that it answers. */
function reason(error: unknown, { metadata }: ManifestObject): string {
  if (!isKubeError(error)) return (error as Error).message;
  const words = error.status?.message ?? error.message;
  const { kind, name } = error.status?.details ?? {};
  return error.code === "not-found" && kind === "namespaces" && name === metadata.namespace
    ? `${words}. Put that Namespace before it in the manifest.`
    : words;
}

async function create(
  kube: KubeClient,
  base: string,
  resource: ApiResource,
  object: ManifestObject,
  signal: AbortSignal,
): Promise<Applied> {
  const namespace = resource.namespaced ? (object.metadata.namespace ?? "default") : undefined;
  const collection =
    namespace === undefined
      ? `${base}/${resource.name}`
      : `${base}/namespaces/${encodeURIComponent(namespace)}/${resource.name}`;
  const stored = await kube.create<{ metadata: { name: string; uid: string } }>(
    collection,
    object,
    { signal, query: { fieldValidation: "Strict" } },
  );
  return { kind: object.kind, namespace, name: stored.metadata.name, uid: stored.metadata.uid };
}

function groupPath(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}
