import type { Container, Pod } from "kubernetes-types/core/v1.js";
import { PluginError } from "../plugin-error.ts";

/** Addresses that only the plugin knows, for env `fieldRef`s that the virtual node leaves to it (`pod-ip-env`). */
export interface PodAddresses {
  /** In order of preference; empty when the pod has none of its own (then the host's are used, as for hostNetwork). */
  podIPs: readonly string[];
  /** Empty when unknown. */
  hostIP: string;
}

/** What a container is started with. */
export interface ResolvedContainer {
  /** In order of declaration, unique names, values byte-exact. */
  env: { name: string; value: string }[];
  /** Absent: the image's ENTRYPOINT. */
  command?: string[];
  /** Absent: the image's CMD. */
  args?: string[];
}

/**
 * A container's environment, command and arguments, ready to run. Values from the virtual node are final and are not
 * expanded again; `valueFrom` that it left is resolved here; command and args see the whole environment. Throws
 * `PluginError` `rejected` in the kubelet's words for a `valueFrom` that cannot be known here.
 */
export function resolveContainer(
  _pod: Pod,
  container: Container,
  _addresses: PodAddresses,
): ResolvedContainer {
  throw new PluginError("internal", `Resolving ${container.name} is not built yet.`);
}
