import type { KubeClient } from "@interlink/kube";
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
    const resources =
      discovered.get(base) ??
      kube
        .get<{ resources?: ApiResource[] }>(base, { signal })
        .then((list) => list.resources ?? []);
    discovered.set(base, resources);
    try {
      const resource = (await resources).find(
        ({ kind, name }) => kind === object.kind && !name.includes("/"),
      );
      if (resource === undefined) {
        throw new Error(
          `the API server does not know the kind ${object.kind} in ${object.apiVersion}`,
        );
      }
      applied.push(await create(kube, base, resource, object, signal));
    } catch (error) {
      throw new CliError("manifest", `${source}: ${(error as Error).message}`, { cause: error });
    }
  }
  return applied;
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
