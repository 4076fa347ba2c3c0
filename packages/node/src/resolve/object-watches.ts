import { type HeldObject, type KubeClient, ObjectCache, paths } from "@interlink/kube";
import type { ConfigMap, Pod, Secret } from "kubernetes-types/core/v1.js";
import { type PodObjects, podReferences } from "./pod-objects.ts";

/**
 * Wakes pods that wait for a ConfigMap or Secret as soon as one of those that they name appears or changes. Watches
 * exist only while a pod waits; where they are not allowed, the pod's own retries still find the object.
 */
export interface ObjectWatches extends AsyncDisposable {
  /** `seen` is what the pod was judged by; the same versions again do not wake it. Call the result to stop. */
  watch(pod: Pod, seen: PodObjects, wake: () => void): () => void;
}

export function createObjectWatches(client: KubeClient): ObjectWatches {
  const configMaps = new ObjectCache<ConfigMap>({
    client,
    collection: (namespace) => paths.configMaps.collection(namespace),
  });
  const secrets = new ObjectCache<Secret>({
    client,
    collection: (namespace) => paths.secrets.collection(namespace),
  });

  return {
    watch(pod, seen, wake) {
      const namespace = pod.metadata?.namespace ?? "default";
      const wanted = podReferences(pod);
      const listen =
        (old: ConfigMap | Secret | undefined) => (now: ConfigMap | Secret | undefined) => {
          if (now && now.metadata?.resourceVersion !== old?.metadata?.resourceVersion) wake();
        };
      const held: Pick<HeldObject<unknown>, "release">[] = [
        ...wanted.configMaps.map((name) =>
          configMaps.hold(namespace, name, listen(seen.configMaps.get(name))),
        ),
        ...wanted.secrets.map((name) =>
          secrets.hold(namespace, name, listen(seen.secrets.get(name))),
        ),
      ];
      return () => {
        for (const one of held) one.release();
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([configMaps[Symbol.asyncDispose](), secrets[Symbol.asyncDispose]()]);
    },
  };
}
