/** Addresses that only the plugin knows, for env `fieldRef`s that the virtual node leaves to it (`pod-ip-env`). */
export interface PodAddresses {
  /** In order of preference; empty when the pod has none of its own (then the host's are used, as for hostNetwork). */
  podIPs: readonly string[];
  /** Empty when unknown. */
  hostIP: string;
}
