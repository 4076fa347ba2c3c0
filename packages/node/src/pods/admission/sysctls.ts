import type { Pod } from "kubernetes-types/core/v1.js";

/** Namespaced and harmless to others: a kubelet allows them without being told (`pkg/kubelet/sysctl/safe_sysctls.go`). */
const SAFE: ReadonlySet<string> = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ping_group_range",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_wmem",
]);

/** What is wrong with the pod's sysctls, in a kubelet's words (`pkg/kubelet/sysctl/allowlist.go`). */
export function sysctlProblem({ spec }: Pod): string | undefined {
  for (const { name } of spec?.securityContext?.sysctls ?? []) {
    const sysctl = name.replaceAll("/", ".");
    if (!SAFE.has(sysctl)) return `forbidden sysctl: ${JSON.stringify(name)} not allowlisted`;
    const isNet = sysctl.startsWith("net.");
    if (isNet && spec?.hostNetwork) return hostSpace(name, "network");
    if (!isNet && spec?.hostIPC) return hostSpace(name, "ipc");
  }
  return undefined;
}

function hostSpace(name: string, namespace: string): string {
  return `forbidden sysctl: ${JSON.stringify(name)} not allowed with host ${namespace} enabled`;
}
