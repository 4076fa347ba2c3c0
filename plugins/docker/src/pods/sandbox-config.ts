import type { Pod } from "kubernetes-types/core/v1.js";
import { sandboxLabels } from "./labels.ts";
import { memoryVolumes } from "./memory-volumes.ts";
import { type DnsSettings, engineDns, type Resolver } from "./pod-dns.ts";
import { podHostname } from "./pod-names.ts";

export interface SandboxOptions {
  plugin: string;
  image: string;
  /** Network of the engine that pods are attached to. */
  network: string;
  dns?: DnsSettings;
  /** What the machine itself finds names by. Default: nothing is known of it. */
  hostResolver?: Resolver;
  /** Runtime of the engine, for pods of a RuntimeClass. */
  runtime?: string;
}

const UNKNOWN: Resolver = { nameservers: [], searches: [], options: [] };

/** Body for creating the container that holds a pod's namespaces and memory volumes. */
export function sandboxConfig(pod: Pod, options: SandboxOptions): object {
  const spec = pod.spec;
  const hostNetwork = spec?.hostNetwork === true;
  const ports = hostNetwork ? new Map() : publishedPorts(pod);
  return {
    Image: options.image,
    Entrypoint: ["/pause"],
    Cmd: [],
    // Nothing in it needs to be root; waiting for children of any user is allowed to process 1.
    User: "65535:65535",
    ...(hostNetwork ? {} : { Hostname: podHostname(pod, options.dns?.clusterDomain) }),
    Labels: sandboxLabels(options.plugin, pod),
    ExposedPorts: Object.fromEntries([...ports.keys()].map((key) => [key, {}])),
    HostConfig: {
      NetworkMode: hostNetwork ? "host" : options.network,
      IpcMode: spec?.hostIPC === true ? "host" : "shareable",
      ...(spec?.hostPID === true ? { PidMode: "host" } : {}),
      PortBindings: Object.fromEntries(ports),
      ExtraHosts: (spec?.hostAliases ?? []).flatMap(({ ip, hostnames }) =>
        (hostnames ?? []).map((name) => `${name}:${ip}`),
      ),
      ...engineDns(pod, options.dns ?? {}, options.hostResolver ?? UNKNOWN),
      ...(options.runtime !== undefined && { Runtime: options.runtime }),
      Sysctls: Object.fromEntries(
        (spec?.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value]),
      ),
      Mounts: memoryVolumes(options.plugin, pod).map(({ name, create }) => ({
        Type: "volume",
        Source: create.Name,
        Target: `/volumes/${name}`,
        VolumeOptions: { NoCopy: true },
      })),
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges:true"],
      LogConfig: { Type: "none" },
      RestartPolicy: { Name: "no" },
    },
  };
}

/** By port of the pod: one may be published on several addresses of the host. */
function publishedPorts(pod: Pod): Map<string, { HostIp: string; HostPort: string }[]> {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const bindings = new Map<string, { HostIp: string; HostPort: string }[]>();
  for (const { containerPort, protocol, hostIP, hostPort } of containers.flatMap(
    ({ ports }) => ports ?? [],
  )) {
    if (hostPort === undefined || hostPort <= 0) continue;
    const key = `${containerPort}/${(protocol ?? "TCP").toLowerCase()}`;
    const binding = { HostIp: hostIP ?? "", HostPort: String(hostPort) };
    bindings.set(key, [...(bindings.get(key) ?? []), binding]);
  }
  return bindings;
}
