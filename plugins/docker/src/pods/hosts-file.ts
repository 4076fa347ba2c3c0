import type { ContainerMount } from "@interlink/plugin-sdk";
import type { Pod } from "kubernetes-types/core/v1.js";
import { podHostname } from "./sandbox-config.ts";

export const HOSTS_PATH = "/etc/hosts";

/** Clusters that call themselves otherwise do not tell it to sites. */
const CLUSTER_DOMAIN = "cluster.local";

const OF_EVERY_HOST = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::0\tip6-localnet",
  "fe00::0\tip6-mcastprefix",
  "fe00::1\tip6-allnodes",
  "fe00::2\tip6-allrouters",
];

/**
 * A pod's `/etc/hosts` (kubelet `managedHostsFileContent`); `undefined` where the engine's is right: on the host's
 * network, in a pod without an address, and where the container mounts its own.
 */
export function hostsFile(
  pod: Pod,
  podIPs: readonly string[],
  mounts: readonly ContainerMount[],
): string | undefined {
  if (pod.spec?.hostNetwork === true || podIPs.length === 0) return undefined;
  if (mounts.some(({ mountPath }) => mountPath === HOSTS_PATH)) return undefined;
  const hostname = podHostname(pod);
  const { subdomain, hostAliases = [] } = pod.spec ?? {};
  const namespace = pod.metadata?.namespace ?? "default";
  const names = subdomain
    ? [`${hostname}.${subdomain}.${namespace}.svc.${CLUSTER_DOMAIN}`, hostname]
    : [hostname];
  const aliases = hostAliases.map(({ ip, hostnames = [] }) => [ip, ...hostnames].join("\t"));
  const lines = [
    "# Kubernetes-managed hosts file.",
    ...OF_EVERY_HOST,
    ...podIPs.map((ip) => [ip, ...names].join("\t")),
    ...(aliases.length > 0 ? ["", "# Entries added by HostAliases.", ...aliases] : []),
  ];
  return `${lines.join("\n")}\n`;
}
