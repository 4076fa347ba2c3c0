import type { Pod } from "kubernetes-types/core/v1.js";
import { hostDomain, podHostname, shortHostname } from "./pod-names.ts";

/**
 * `/etc/hosts` of a pod with a network of its own, line for line as a kubelet writes it (`managedHostsFileContent`).
 */
export function hostsFile(pod: Pod, podIPs: readonly string[], clusterDomain?: string): string {
  const domain = hostDomain(pod, clusterDomain);
  const short = domain === "" ? podHostname(pod, clusterDomain) : shortHostname(pod);
  const lines = [
    "# Kubernetes-managed hosts file.",
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "fe00::0\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
    ...podIPs.map((ip) =>
      domain === "" ? `${ip}\t${short}` : `${ip}\t${short}.${domain}\t${short}`,
    ),
  ];
  const aliases = pod.spec?.hostAliases ?? [];
  if (aliases.length > 0) {
    lines.push(
      "",
      "# Entries added by HostAliases.",
      ...aliases.map(({ ip, hostnames }) => [ip, ...(hostnames ?? [])].join("\t")),
    );
  }
  return `${lines.join("\n")}\n`;
}

/** Whether the pod has a file of its own: on the host's network it has the host's. */
export function hasHostsFile({ spec }: Pod): boolean {
  return spec?.hostNetwork !== true;
}
