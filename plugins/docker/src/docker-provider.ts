import { createHash } from "node:crypto";
import { resolve } from "node:path";
import {
  type ContainerProviderOptions,
  createContainerProvider,
  PluginError,
  type Provider,
} from "@interlink/plugin-sdk";
import { DockerRuntime, type DockerRuntimeOptions } from "./docker-runtime.ts";
import {
  type DockerEnvironment,
  likelyEngineAddress,
  parseDockerHost,
} from "./engine/engine-address.ts";
import { EngineClient } from "./engine/engine-client.ts";
import { hostPathResolver } from "./host-paths.ts";
import { unsupported } from "./pods/unsupported.ts";

export interface DockerProviderOptions
  extends Pick<ContainerProviderOptions, "root" | "logger" | "hostIP" | "clock" | "checkpoint">,
    Pick<
      DockerRuntimeOptions,
      "network" | "sandboxImage" | "log" | "pods" | "dns" | "runtimeClasses" | "seccompProfiles"
    > {
  /** Marks what this plugin makes in the engine. Default: a name that follows from `root`. */
  plugin?: string;
  /** `unix:///path` or `tcp://host:port`; default `env.DOCKER_HOST`, else the first usual socket that exists. */
  dockerHost?: string;
  /** Default `process.env`. */
  env?: DockerEnvironment;
  /** Directories of the host below which pods may mount hostPath volumes. Default none. */
  hostPaths?: readonly string[];
}

/** Pods as containers of a Docker Engine or Podman. The engine must see `root` under the same path as this process. */
export function createDockerProvider(options: DockerProviderOptions): Provider {
  const env = options.env ?? process.env;
  const address =
    options.dockerHost === undefined
      ? likelyEngineAddress(env)
      : parseDockerHost(options.dockerHost, env);
  const { network, sandboxImage, log, pods, dns, runtimeClasses, seccompProfiles } = options;
  const { root, logger, hostIP, clock, checkpoint } = options;
  const runtime = new DockerRuntime({
    engine: new EngineClient(address),
    logger,
    plugin: options.plugin ?? pluginName(root),
    ...(network !== undefined && { network }),
    ...(sandboxImage !== undefined && { sandboxImage }),
    ...(log !== undefined && { log }),
    ...(pods !== undefined && { pods }),
    ...(dns !== undefined && { dns }),
    ...(runtimeClasses !== undefined && { runtimeClasses }),
    ...(seccompProfiles !== undefined && { seccompProfiles }),
  });
  return createContainerProvider({
    name: "docker",
    runtime,
    root,
    logger,
    checkPod: (pod) => {
      const problem = unsupported(pod, dns?.clusterDomain);
      if (problem !== undefined) throw new PluginError("rejected", problem);
    },
    resolveVolume: hostPathResolver(options.hostPaths ?? []),
    ...(hostIP !== undefined && { hostIP }),
    ...(clock !== undefined && { clock }),
    ...(checkpoint !== undefined && { checkpoint }),
  });
}

/**
 * Who has the directory has the pods: containers that bear this name but have no job in `root` are removed. So plugins
 * with different roots, of different users perhaps, must never share it.
 */
function pluginName(root: string): string {
  return `docker-${createHash("sha256").update(resolve(root)).digest("hex").slice(0, 12)}`;
}
