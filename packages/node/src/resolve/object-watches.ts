import { type HeldObject, type KubeClient, ObjectCache, paths } from "@interlink/kube";
import type { ConfigMap, Pod, Secret } from "kubernetes-types/core/v1.js";
import { type PodObjects, podReferences } from "./pod-objects.ts";

/** The versions of what a pod names, as it was judged by them: by name. */
export interface SeenVersions {
  configMaps: ReadonlyMap<string, SeenVersion>;
  secrets: ReadonlyMap<string, SeenVersion>;
}

interface SeenVersion {
  version: string | undefined;
  /** It never changes, and is not watched. */
  immutable: boolean;
}

export function versionsOf({ configMaps, secrets }: PodObjects): SeenVersions {
  const versions = (objects: ReadonlyMap<string, ConfigMap | Secret>) =>
    new Map(
      [...objects].map(([name, { metadata, immutable = false }]) => [
        name,
        { version: metadata?.resourceVersion, immutable },
      ]),
    );
  return { configMaps: versions(configMaps), secrets: versions(secrets) };
}

/**
 * Wakes pods as soon as a ConfigMap or Secret that they name appears, changes or vanishes. One watch per object,
 * shared by all pods that name it, for as long as one of them asks for it; where watches are not allowed, a pod's own
 * retries still find what it waits for.
 */
export interface ObjectWatches extends AsyncDisposable {
  /** `seen` is what the pod was judged by; the same versions again do not wake it. Call the result to stop. */
  watch(pod: Pod, seen: SeenVersions, wake: () => void): () => void;
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
      let stopped = false;
      const follow = <T extends ConfigMap | Secret>(
        cache: ObjectCache<T>,
        names: string[],
        versions: ReadonlyMap<string, SeenVersion>,
      ): HeldObject<T>[] =>
        names.flatMap((name) => {
          const old = versions.get(name);
          if (old?.immutable === true) return [];
          const judge = (now: T | undefined): void => {
            if (!stopped && now?.metadata?.resourceVersion !== old?.version) wake();
          };
          const held = cache.hold(namespace, name, judge);
          // One that vanished before its watch began is not told as removed.
          void held.synced.then(() => judge(held.get()));
          return [held];
        });
      const held = [
        ...follow(configMaps, wanted.configMaps, seen.configMaps),
        ...follow(secrets, wanted.secrets, seen.secrets),
      ];
      return () => {
        stopped = true;
        for (const one of held) one.release();
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([configMaps[Symbol.asyncDispose](), secrets[Symbol.asyncDispose]()]);
    },
  };
}
