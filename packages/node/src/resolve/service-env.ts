import { isIPv6 } from "node:net";
import type { EnvVar, Pod, Service } from "kubernetes-types/core/v1.js";

/**
 * Variables for the services that a pod sees: those of its namespace unless `enableServiceLinks: false`, and always
 * `kubernetes` of namespace default (kubelet getServiceEnvVarMap; `pkg/kubelet/envvars/envvars.go`).
 */
export function serviceEnv(pod: Pod, services: readonly Service[]): EnvVar[] {
  const namespace = pod.metadata?.namespace ?? "default";
  const links = pod.spec?.enableServiceLinks ?? true;
  const seen = services
    .filter(hasClusterIP)
    .filter(
      ({ metadata }) =>
        (links && metadata?.namespace === namespace) ||
        (metadata?.namespace === "default" && metadata.name === "kubernetes"),
    )
    .toSorted((a, b) => order(a, namespace) - order(b, namespace) || compareNames(a, b));
  const result = new Map<string, string>();
  for (const service of seen) {
    for (const { name, value } of variablesOf(service)) {
      // The pod's own namespace comes first: its "kubernetes", if there is one, hides the cluster's.
      if (!result.has(name)) result.set(name, value ?? "");
    }
  }
  return [...result].map(([name, value]) => ({ name, value }));
}

function hasClusterIP(service: Service): boolean {
  const ip = service.spec?.clusterIP;
  return ip !== undefined && ip !== "" && ip !== "None";
}

function order(service: Service, namespace: string): number {
  return service.metadata?.namespace === namespace ? 0 : 1;
}

function compareNames(a: Service, b: Service): number {
  return (a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1;
}

function variablesOf(service: Service): EnvVar[] {
  const prefix = envName(service.metadata?.name ?? "");
  const host = service.spec?.clusterIP ?? "";
  const ports = service.spec?.ports ?? [];
  const result: EnvVar[] = [{ name: `${prefix}_SERVICE_HOST`, value: host }];
  const [first] = ports;
  if (first) result.push({ name: `${prefix}_SERVICE_PORT`, value: String(first.port) });
  for (const port of ports) {
    if (!port.name) continue;
    result.push({ name: `${prefix}_SERVICE_PORT_${envName(port.name)}`, value: String(port.port) });
  }
  for (const [index, port] of ports.entries()) {
    const protocol = port.protocol ?? "TCP";
    const address = isIPv6(host) ? `[${host}]` : host;
    const url = `${protocol.toLowerCase()}://${address}:${port.port}`;
    const portPrefix = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`;
    if (index === 0) result.push({ name: `${prefix}_PORT`, value: url });
    result.push(
      { name: portPrefix, value: url },
      { name: `${portPrefix}_PROTO`, value: protocol.toLowerCase() },
      { name: `${portPrefix}_PORT`, value: String(port.port) },
      { name: `${portPrefix}_ADDR`, value: host },
    );
  }
  return result;
}

function envName(name: string): string {
  return name.toUpperCase().replaceAll("-", "_");
}
