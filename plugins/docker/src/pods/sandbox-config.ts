import type { Pod } from "kubernetes-types/core/v1.js";
import { sandboxLabels } from "./labels.ts";
import { memoryVolumes } from "./memory-volumes.ts";

export interface SandboxOptions {
  plugin: string;
  image: string;
  /** Network of the engine that pods are attached to. */
  network: string;
}

/** Body for creating the container that holds a pod's namespaces and memory volumes. */
export function sandboxConfig(pod: Pod, options: SandboxOptions): object {
  const spec = pod.spec;
  const hostNetwork = spec?.hostNetwork === true;
  const ports = hostNetwork ? [] : publishedPorts(pod);
  const dns = spec?.dnsConfig;
  return {
    Image: options.image,
    Entrypoint: ["/pause"],
    Cmd: [],
    // Nothing in it needs to be root; waiting for children of any user is allowed to process 1.
    User: "65535:65535",
    ...(hostNetwork ? {} : { Hostname: podHostname(pod) }),
    Labels: sandboxLabels(options.plugin, pod),
    ExposedPorts: Object.fromEntries(ports.map(({ key }) => [key, {}])),
    HostConfig: {
      NetworkMode: hostNetwork ? "host" : options.network,
      IpcMode: spec?.hostIPC === true ? "host" : "shareable",
      ...(spec?.hostPID === true ? { PidMode: "host" } : {}),
      PortBindings: Object.fromEntries(ports.map(({ key, binding }) => [key, [binding]])),
      ExtraHosts: (spec?.hostAliases ?? []).flatMap(({ ip, hostnames }) =>
        (hostnames ?? []).map((name) => `${name}:${ip}`),
      ),
      ...(dns === undefined
        ? {}
        : {
            Dns: dns.nameservers ?? [],
            DnsSearch: dns.searches ?? [],
            DnsOptions: (dns.options ?? []).map(({ name, value }) =>
              value === undefined || value === "" ? name : `${name}:${value}`,
            ),
          }),
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

/** `spec.hostname`, else the pod's name, cut to what a host name may be (Kubernetes `truncatePodHostnameIfNeeded`). */
export function podHostname(pod: Pod): string {
  const name = pod.spec?.hostname || (pod.metadata?.name ?? "");
  return name.slice(0, 63).replace(/[-.]+$/, "");
}

function publishedPorts(
  pod: Pod,
): { key: string; binding: { HostIp: string; HostPort: string } }[] {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  return containers
    .flatMap(({ ports }) => ports ?? [])
    .filter(({ hostPort }) => hostPort !== undefined && hostPort > 0)
    .map(({ containerPort, protocol, hostIP, hostPort }) => ({
      key: `${containerPort}/${(protocol ?? "TCP").toLowerCase()}`,
      binding: { HostIp: hostIP ?? "", HostPort: String(hostPort) },
    }));
}
