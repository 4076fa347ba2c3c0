import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  type ContainerProviderOptions,
  createContainerProvider,
  PluginError,
  type Provider,
  type VolumeResolver,
} from "@interlink/plugin-sdk";
import type { DeviceSetting } from "./devices/inventory.ts";
import { inventoryProblem } from "./devices/inventory-problem.ts";
import { DockerRuntime, type DockerRuntimeOptions } from "./docker-runtime.ts";
import {
  type DockerEnvironment,
  likelyEngineAddress,
  parseDockerHost,
} from "./engine/engine-address.ts";
import { EngineClient } from "./engine/engine-client.ts";
import {
  type ImageSettings,
  imageSettingsProblem,
  resolvedImageSettings,
} from "./images/image-settings.ts";
import { forbiddenToContainer, forbiddenToPod, type HostAccess } from "./pods/forbidden.ts";
import { containerProblem, unsupported } from "./pods/unsupported.ts";
import { type ClaimRule, checkClaimRules } from "./volumes/claim-rules.ts";
import { claimResolver } from "./volumes/claims.ts";
import { canMountFor, HeldMounts } from "./volumes/held-mounts.ts";
import { hostPathResolver } from "./volumes/host-paths.ts";
import { MountKeeper } from "./volumes/mount-keeper.ts";

/** What the configuration file says (docs/plugins/docker.md), and where the plugin keeps its jobs. */
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
  /** Where PersistentVolumeClaims lie; the first rule that fits decides. Default: such pods are rejected. */
  claims?: readonly ClaimRule[];
  /**
   * Run containers that mount a part of what other containers can write to, also where this process cannot hold on to
   * that part (it is not root, or the engine is elsewhere) and those could lead the mount to any place of the host.
   * Default false: such containers wait and say so.
   */
  allowUnheldMounts?: boolean;
  /** What of the host pods may not ask for. Default: they may ask for all of it, as under a kubelet. */
  forbid?: readonly HostAccess[];
  /** Directory for the mounts of this plugin's own. Default one in `/run`. */
  heldMounts?: string;
  /** Devices that pods may ask for as extended resources. Two plugins must not be given the same ones. */
  devices?: readonly DeviceSetting[];
  /** Images pulled ahead, and when unused ones are removed. */
  images?: ImageSettings;
}

/**
 * Pods as containers of a Docker Engine or Podman. If the engine does not see `root` under the same path as this process,
 * the files of pods are copied to it.
 */
export function createDockerProvider(options: DockerProviderOptions): Provider {
  const env = options.env ?? process.env;
  const address =
    options.dockerHost === undefined
      ? likelyEngineAddress(env)
      : parseDockerHost(options.dockerHost, env);
  const { network, sandboxImage, log, pods, dns, runtimeClasses, seccompProfiles } = options;
  const { root, logger, hostIP, clock, checkpoint } = options;
  const { claims = [], devices = [], images = {}, forbid = [] } = options;
  checkClaimRules(claims);
  const problem = imageSettingsProblem(images) ?? inventoryProblem(devices);
  if (problem !== undefined) throw new Error(problem);
  const engine = new EngineClient(address);
  const plugin = options.plugin ?? pluginName(root);
  const mounts = new MountKeeper({
    logger,
    allowUnheld: options.allowUnheldMounts ?? false,
    ...(canMountFor(address) && {
      held: new HeldMounts(options.heldMounts ?? join("/run/interlink", plugin)),
    }),
  });
  const runtime = new DockerRuntime({
    engine,
    claims,
    mounts,
    // Also of containers that come later, to a pod that runs.
    refuses: (container) => containerProblem(container) ?? forbiddenToContainer(container, forbid),
    // Beside the jobs, and locked with them.
    devices: {
      settings: devices,
      file: join(root, "devices.json"),
      hasJob: (uid) => existsSync(join(root, "jobs", uid)),
    },
    images: { ...resolvedImageSettings(images), file: join(root, "images.json") },
    ...(clock !== undefined && { clock }),
    // As the SDK lays out the directory that it is given.
    files: { root, directory: (uid) => join(root, "jobs", uid) },
    logger,
    plugin,
    ...(network !== undefined && { network }),
    ...(sandboxImage !== undefined && { sandboxImage }),
    ...(log !== undefined && { log }),
    ...(pods !== undefined && { pods }),
    ...(dns !== undefined && { dns }),
    ...(runtimeClasses !== undefined && { runtimeClasses }),
    ...(seccompProfiles !== undefined && { seccompProfiles }),
    ...(hostIP !== undefined && { hostIP }),
  });
  return createContainerProvider({
    name: "docker",
    runtime,
    root,
    logger,
    checkPod: (pod) => {
      const { initContainers = [], containers = [] } = pod.spec ?? {};
      const problem =
        unsupported(pod, dns?.clusterDomain) ??
        forbiddenToPod(pod, forbid) ??
        [...initContainers, ...containers]
          .map((container) => forbiddenToContainer(container, forbid))
          .find((sentence) => sentence !== undefined) ??
        runtime.deviceProblem(pod);
      if (problem !== undefined) throw new PluginError("rejected", problem);
    },
    resolveVolume: eitherVolume(
      hostPathResolver(options.hostPaths ?? [], root),
      claimResolver(claims, engine),
    ),
    ...(hostIP !== undefined && { hostIP }),
    ...(clock !== undefined && { clock }),
    ...(checkpoint !== undefined && { checkpoint }),
  });
}

/** The first that knows the kind of volume. */
function eitherVolume(one: VolumeResolver, other: VolumeResolver): VolumeResolver {
  return async (volume, pod) => (await one(volume, pod)) ?? other(volume, pod);
}

/**
 * Who has the directory has the pods: containers that bear this name but have no job in `root` are removed. So plugins
 * with different roots, of different users perhaps, must never share it.
 */
function pluginName(root: string): string {
  return `docker-${createHash("sha256").update(resolve(root)).digest("hex").slice(0, 12)}`;
}
