import type { Pod } from "kubernetes-types/core/v1.js";

/** Domain of the cluster's services and pods, unless the plugin is told another. */
export const CLUSTER_DOMAIN = "cluster.local";

/** The longest host name of Linux. */
const MAX_HOSTNAME = 64;

/** Since Kubernetes 1.34; the type package does not know it yet. */
interface NewerSpec {
  hostnameOverride?: string;
}

/** `spec.hostname`, else the pod's name, cut to what a host name may be (Kubernetes `truncatePodHostnameIfNeeded`). */
export function shortHostname(pod: Pod): string {
  const name = pod.spec?.hostname || (pod.metadata?.name ?? "");
  return name.slice(0, 63).replace(/[-.]+$/, "");
}

/** `SUBDOMAIN.NAMESPACE.svc.DOMAIN` for a pod with a subdomain, else `""` (`GeneratePodHostNameAndDomain`). */
export function hostDomain(pod: Pod, clusterDomain = CLUSTER_DOMAIN): string {
  const { subdomain } = pod.spec ?? {};
  if (!subdomain || overriding(pod) !== "") return "";
  return `${subdomain}.${pod.metadata?.namespace ?? ""}.svc.${clusterDomain}`;
}

/** What `hostname` says in the pod: the short name, or the full one if the pod wants that and the kernel can hold it. */
export function podHostname(pod: Pod, clusterDomain = CLUSTER_DOMAIN): string {
  const override = overriding(pod);
  if (override !== "") return override;
  const short = shortHostname(pod);
  const domain = hostDomain(pod, clusterDomain);
  return pod.spec?.setHostnameAsFQDN === true && domain !== "" ? `${short}.${domain}` : short;
}

/** Why the pod cannot have its host name, in a kubelet's words; `undefined` if it can. */
export function hostnameProblem(pod: Pod, clusterDomain = CLUSTER_DOMAIN): string | undefined {
  const name = podHostname(pod, clusterDomain);
  if (name.length <= MAX_HOSTNAME) return undefined;
  return `failed to construct FQDN from pod hostname and cluster domain, FQDN ${name} is too long (${MAX_HOSTNAME} characters is the max, ${name.length} characters requested)`;
}

function overriding(pod: Pod): string {
  return (pod.spec as NewerSpec | undefined)?.hostnameOverride ?? "";
}
