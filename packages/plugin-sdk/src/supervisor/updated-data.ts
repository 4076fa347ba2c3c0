import type { RetrievedPodData } from "@interlink/protocol";
import type { Container, EphemeralContainer, Pod } from "kubernetes-types/core/v1.js";

/**
 * What is kept of a pod after an update: the objects that its volumes are made of, its labels and annotations, and its
 * containers' environments and images are the update's, and ephemeral containers that are new come along; everything
 * else stays as it was when the pod was created, whatever the update says.
 */
export function updatedData(before: RetrievedPodData, update: RetrievedPodData): RetrievedPodData {
  const { container, pullSecrets } = update;
  const pod = updatedPod(before.pod, update.pod);
  return { ...before, pod, container, ...(pullSecrets && { pullSecrets }) };
}

function updatedPod(before: Pod, update: Pod): Pod {
  const { labels, annotations } = update.metadata ?? {};
  const { labels: _labels, annotations: _annotations, ...metadata } = before.metadata ?? {};
  const { spec } = before;
  const next: Pod = {
    ...before,
    metadata: { ...metadata, ...(labels && { labels }), ...(annotations && { annotations }) },
  };
  if (spec === undefined) return next;
  const { initContainers, containers } = spec;
  const ephemeralContainers = withAdditions(
    spec.ephemeralContainers,
    update.spec?.ephemeralContainers,
  );
  next.spec = {
    ...spec,
    containers: withUpdates(containers, update.spec?.containers),
    ...(initContainers && {
      initContainers: withUpdates(initContainers, update.spec?.initContainers),
    }),
    ...(ephemeralContainers.length > 0 && { ephemeralContainers }),
  };
  return next;
}

function withUpdates(before: Container[], update: readonly Container[] = []): Container[] {
  return before.map((container) => {
    const newer = update.find(({ name }) => name === container.name);
    if (newer === undefined) return container;
    const { env: _env, ...rest } = container;
    const { env, image } = newer;
    return { ...rest, ...(env && { env }), ...(image !== undefined && { image }) };
  });
}

/** One that is there never changes; only what its environment names may have come since. */
function withAdditions(
  before: readonly EphemeralContainer[] = [],
  update: readonly EphemeralContainer[] = [],
): EphemeralContainer[] {
  const known = new Set(before.map(({ name }) => name));
  const kept = before.map((container) => {
    const newer = update.find(({ name }) => name === container.name);
    if (newer === undefined) return container;
    const { env: _env, envFrom: _from, ...rest } = container;
    const { env, envFrom } = newer;
    return { ...rest, ...(env && { env }), ...(envFrom && { envFrom }) };
  });
  return [...kept, ...update.filter(({ name }) => !known.has(name))];
}

/** Names of the containers whose image is another one after an update. */
export function containersOfOtherImage(before: Pod, after: Pod): string[] {
  const all = ({ spec }: Pod) => [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const images = new Map(all(before).map(({ name, image }) => [name, image]));
  return all(after).flatMap(({ name, image }) => (images.get(name) === image ? [] : [name]));
}
