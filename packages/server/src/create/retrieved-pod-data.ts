import {
  type Capabilities,
  emptyJobConfig,
  offers,
  type PodCreateRequest,
  ProtocolError,
  type RetrievedContainer,
  type RetrievedPodData,
} from "@interlink/protocol";
import type { ConfigMap, Container, Secret, Volume } from "kubernetes-types/core/v1.js";

/**
 * What a plugin gets for a create request: the pod, and for each container, init containers first, the objects that
 * it mounts (reference: interlink-wire-and-node.md section 1.4). An object mounted twice by one container is listed
 * once. A plugin that offers `pull-secrets` gets those as well, one that offers
 * `ephemeral-containers` what these mount. Throws ProtocolError `invalid` when a mounted object is missing and not optional.
 */
export function retrievedPodData(
  request: PodCreateRequest,
  plugin?: Capabilities,
): RetrievedPodData {
  const { spec } = request.pod;
  const volumes = new Map((spec?.volumes ?? []).map((volume) => [volume.name, volume]));
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const ephemeral = offers(plugin, "ephemeral-containers") ? (spec?.ephemeralContainers ?? []) : [];
  const pullSecrets = pullSecretsOf(request);
  return {
    pod: request.pod,
    container: [...containers, ...ephemeral].map((one) => mountedBy(one, volumes, request)),
    jobConfig: emptyJobConfig(),
    ...(pullSecrets && offers(plugin, "pull-secrets") ? { pullSecrets } : {}),
  };
}

/**
 * The Secrets of a request that its `imagePullSecrets` name; `undefined` without one. A node sends them, though nothing
 * mounts them, where `pull-secrets` is offered.
 */
export function pullSecretsOf({ pod, secrets }: PodCreateRequest): Secret[] | undefined {
  const found = (pod.spec?.imagePullSecrets ?? []).flatMap(
    ({ name }) => byName(secrets, name) ?? [],
  );
  return found.length > 0 ? found : undefined;
}

function mountedBy(
  container: Container,
  volumes: ReadonlyMap<string, Volume>,
  request: PodCreateRequest,
): RetrievedContainer {
  const configMaps = new Set<ConfigMap>();
  const secrets = new Set<Secret>();
  const projected = new Set<ConfigMap>();
  for (const mount of container.volumeMounts ?? []) {
    const missing = (what: string) =>
      new ProtocolError(
        "invalid",
        `container ${container.name} mounts volume ${mount.name}, but ${what}`,
      );
    const volume = volumes.get(mount.name);
    if (volume === undefined) throw missing("the pod declares no such volume");
    if (volume.configMap !== undefined) {
      const { name, optional } = volume.configMap;
      const object = byName(request.configmaps, name);
      if (object !== undefined) configMaps.add(object);
      else if (optional !== true)
        throw missing(`its ConfigMap ${name ?? ""} is not in the request`);
    } else if (volume.secret !== undefined) {
      const { secretName, optional } = volume.secret;
      const object = byName(request.secrets, secretName);
      if (object !== undefined) secrets.add(object);
      else if (optional !== true)
        throw missing(`its Secret ${secretName ?? ""} is not in the request`);
    } else if (volume.projected !== undefined || volume.downwardAPI !== undefined) {
      const object = byName(request.projectedvolumesmaps, volume.name);
      if (object !== undefined) projected.add(object);
      // Go virtual nodes told to disable projected volumes send none at all; that is their word, not an accident.
      else if (request.projectedvolumesmaps.length > 0)
        throw missing("its projected content is not in the request");
    }
  }
  return {
    name: container.name,
    configMaps: [...configMaps],
    projectedvolumemaps: [...projected],
    secrets: [...secrets],
    emptyDirs: [],
  };
}

function byName<T extends ConfigMap | Secret>(
  objects: readonly T[],
  name: string | undefined,
): T | undefined {
  return objects.find(({ metadata }) => name !== undefined && metadata?.name === name);
}
