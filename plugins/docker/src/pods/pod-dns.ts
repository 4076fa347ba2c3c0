import type { Pod } from "kubernetes-types/core/v1.js";
import { CLUSTER_DOMAIN } from "./pod-names.ts";

/** What `/etc/resolv.conf` says. */
export interface Resolver {
  nameservers: readonly string[];
  searches: readonly string[];
  /** `ndots:5`, `edns0` … */
  options: readonly string[];
}

/** How pods find names. */
export interface DnsSettings {
  /** Addresses of the cluster's DNS, if pods can reach it. Default none: pods have the engine's. */
  clusterDns?: readonly string[];
  /** Default `cluster.local`. */
  clusterDomain?: string;
}

/** Part of the engine's HostConfig; what is left out is the engine's own. */
export interface EngineDns {
  Dns?: string[];
  DnsSearch?: string[];
  DnsOptions?: string[];
}

/** As the C library, and the kubelet, bound it. */
const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;

/**
 * The kubelet's rules (`pkg/kubelet/network/dns`): the policy gives a base, `dnsConfig` is merged into it. Without a
 * cluster DNS, ClusterFirst is Default, as under a kubelet. `host` is the machine's resolver, for the policies that
 * begin with it.
 */
export function engineDns(pod: Pod, settings: DnsSettings, host: Resolver): EngineDns {
  const config = pod.spec?.dnsConfig;
  const own: Resolver = {
    nameservers: config?.nameservers ?? [],
    searches: config?.searches ?? [],
    options: (config?.options ?? []).map(({ name = "", value }) =>
      value === undefined || value === "" ? name : `${name}:${value}`,
    ),
  };
  const policy = pod.spec?.dnsPolicy ?? "ClusterFirst";
  if (policy === "None") return whole(own);
  if (isClusterFirst(pod, policy) && (settings.clusterDns ?? []).length > 0) {
    return whole(merged(clusterResolver(pod, settings, host), own));
  }
  // What the pod does not touch stays the engine's, which knows its host better.
  const both = merged(host, own);
  return {
    ...(own.nameservers.length > 0 && { Dns: both.Dns }),
    ...(own.searches.length > 0 && { DnsSearch: both.DnsSearch }),
    ...(own.options.length > 0 && { DnsOptions: both.DnsOptions }),
  };
}

/** Reads a `resolv.conf`. Name servers on loopback are left out: a pod has a loopback of its own. */
export function parseResolvConf(text: string): Resolver {
  const nameservers: string[] = [];
  let searches: string[] = [];
  let options: string[] = [];
  for (const line of text.split("\n")) {
    const [key, ...values] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/);
    const [first = ""] = values;
    if (key === "nameserver" && first !== "" && !/^(127\.|::1$)/.test(first))
      nameservers.push(first);
    if (key === "search" || key === "domain") searches = values;
    if (key === "options") options = [...options, ...values];
  }
  return { nameservers, searches, options };
}

function isClusterFirst(pod: Pod, policy: string): boolean {
  if (policy === "ClusterFirstWithHostNet") return true;
  return policy === "ClusterFirst" && pod.spec?.hostNetwork !== true;
}

function clusterResolver(pod: Pod, settings: DnsSettings, host: Resolver): Resolver {
  const domain = settings.clusterDomain ?? CLUSTER_DOMAIN;
  return {
    nameservers: settings.clusterDns ?? [],
    searches: [
      `${pod.metadata?.namespace ?? "default"}.svc.${domain}`,
      `svc.${domain}`,
      domain,
      ...host.searches,
    ],
    options: ["ndots:5"],
  };
}

/** The pod's options take the place of those with the same name; the rest is added. */
function merged(base: Resolver, own: Resolver): Required<EngineDns> {
  const options = new Map(
    [...base.options, ...own.options].map((option) => [option.split(":")[0], option]),
  );
  return {
    Dns: [...new Set([...base.nameservers, ...own.nameservers])].slice(0, MAX_NAMESERVERS),
    DnsSearch: [...new Set([...base.searches, ...own.searches])].slice(0, MAX_SEARCHES),
    DnsOptions: [...options.values()],
  };
}

/** Nothing of the host's: the engine takes `.` for "no domains", and an empty list for "the host's". */
function whole(resolver: Resolver | Required<EngineDns>): EngineDns {
  const { Dns, DnsSearch, DnsOptions } =
    "Dns" in resolver ? resolver : merged({ nameservers: [], searches: [], options: [] }, resolver);
  return { Dns, DnsSearch: DnsSearch.length === 0 ? ["."] : DnsSearch, DnsOptions };
}
