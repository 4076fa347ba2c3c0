import { type ContainerMount, type ContainerSpec, RuntimeError } from "@interlink/plugin-sdk";
import type { Container, Pod, VolumeMount } from "kubernetes-types/core/v1.js";
import type { EngineDevices } from "../devices/engine-devices.ts";
import type { ImageDefaults } from "../images/image-store.ts";
import { declaredMount, type KeptMounts } from "../volumes/mount-keeper.ts";
import { containerLabels } from "./labels.ts";
import { type MemoryVolume, memoryVolumes } from "./memory-volumes.ts";
import { oomScoreAdj } from "./oom-score.ts";
import { checkPodmanMounts } from "./podman-mounts.ts";
import { engineResources } from "./resources.ts";
import { engineSecurity } from "./security.ts";

export interface ContainerOptions {
  plugin: string;
  /** Id of the pod's sandbox. */
  sandbox: string;
  isPodman: boolean;
  /** The pod's files lie in a volume of the engine, as it does not see those of this machine. */
  isCopied?: boolean;
  /** Only needed for Podman, and if `needsImageUser` says so. */
  image?: ImageDefaults;
  log: LogConfig;
  /** File of the host for `/etc/hosts`. */
  hostsFile?: string;
  /** As the engine takes it. */
  seccompProfile?: string;
  /** Runtime of the engine, for pods of a RuntimeClass. */
  runtime?: string;
  /** Named volumes of the engine, by the pod's names for them. */
  volumes?: ReadonlyMap<string, string>;
  /** Devices of this container. */
  devices?: EngineDevices;
  /** Bytes of the engine's machine; without it the kernel gets no score by which to choose when it has no more. */
  machineMemory?: number | undefined;
  /** Limit of its own layer, as the engine's storage driver takes it. */
  storage?: { StorageOpt?: { size: string } };
  /** Variables that take the place of the container's own. */
  extraEnv?: readonly { name: string; value: string }[];
  /** Whether the engine can make a mount read-only with all that is mounted below it. */
  hasRecursiveReadOnly?: boolean;
  /** What the engine is to mount instead of the host's paths, see `MountKeeper`. */
  kept?: KeptMounts;
}

/** The engine's log of each container attempt; older pieces are dropped, as a kubelet does. */
export interface LogConfig {
  /** As the engine takes it, e.g. `10m`. */
  maxSize: string;
  maxFiles: number;
}

const HOSTS_PATH = "/etc/hosts";

const PROPAGATION: Readonly<Record<string, string>> = {
  HostToContainer: "rslave",
  Bidirectional: "rshared",
};

/**
 * Body for creating one attempt of a container. Everything from the pod is a field of its own: no part of it is ever
 * read as a command line, a path list or an option string.
 */
export function containerConfig(spec: ContainerSpec, options: ContainerOptions): object {
  const { pod, container } = spec;
  const { User, ...security } = engineSecurity(
    pod,
    container.name,
    spec.securityContext ?? container.securityContext,
    options.image?.user,
    options.seccompProfile,
  );
  const stopSignal = (container.lifecycle as { stopSignal?: string } | undefined)?.stopSignal;
  const sandbox = `container:${options.sandbox}`;
  const memory = memoryVolumes(options.plugin, pod);
  const mounts: EngineMount[] = [
    ...spec.mounts.map((mount) => engineMount(mount, declaredMount(spec, mount), memory, options)),
    ...hostsMount(spec, options.hostsFile),
    {
      Type: "bind",
      Source: spec.terminationMessageFile,
      Target: container.terminationMessagePath || "/dev/termination-log",
    },
  ];
  if (options.isPodman) checkPodmanMounts(mounts);
  return {
    Image: spec.imageID,
    ...commandLine(spec),
    // The plugin's last, as the last of a name counts.
    Env: [...spec.env, ...(options.extraEnv ?? [])].map(({ name, value }) => `${name}=${value}`),
    ...(container.workingDir ? { WorkingDir: container.workingDir } : {}),
    ...(User === undefined ? {} : { User }),
    Tty: container.tty ?? false,
    OpenStdin: container.stdin ?? false,
    StdinOnce: container.stdinOnce ?? false,
    ...(stopSignal ? { StopSignal: stopSignal } : {}),
    // A kubelet knows no HEALTHCHECK of images: probes are the pod's. Podman would set a timer even for this one.
    ...(options.isPodman && options.image?.hasHealthcheck === false
      ? {}
      : { Healthcheck: { Test: ["NONE"] } }),
    Labels: containerLabels(options.plugin, spec),
    HostConfig: {
      ...engineResources(container.resources),
      ...oomScore(pod, container, options.machineMemory),
      ...options.storage,
      ...options.devices,
      ...security,
      // Podman overlooks the fields that Docker has for it.
      ...(options.isPodman &&
        security.MaskedPaths !== undefined && {
          SecurityOpt: [...security.SecurityOpt, "unmask=ALL"],
        }),
      NetworkMode: sandbox,
      // With Docker the host name comes with the network; Podman would give each container one of its own.
      ...(options.isPodman ? { UTSMode: sandbox } : {}),
      IpcMode: pod.spec?.hostIPC === true ? "host" : sandbox,
      ...(pod.spec?.hostPID === true ? { PidMode: "host" } : {}),
      ...(pod.spec?.shareProcessNamespace === true ? { PidMode: sandbox } : {}),
      ...(spec.target ? { PidMode: `container:${spec.target.id}` } : {}),
      Mounts: mounts,
      LogConfig: {
        Type: "json-file",
        Config: { "max-size": options.log.maxSize, "max-file": String(options.log.maxFiles) },
      },
      ...(options.runtime !== undefined && { Runtime: options.runtime }),
      // Restarts are the supervisor's, which counts them.
      RestartPolicy: { Name: "no" },
    },
  };
}

function oomScore(
  pod: Pod,
  container: Container,
  machineMemory: number | undefined,
): { OomScoreAdj?: number } {
  const score =
    machineMemory === undefined ? undefined : oomScoreAdj(pod, container, machineMemory);
  return score === undefined ? {} : { OomScoreAdj: score };
}

/**
 * `command` takes the place of the image's ENTRYPOINT and CMD, `args` that of its CMD. The engine leaves out the CMD by
 * itself when an entry point is given.
 */
export function commandLine(spec: Pick<ContainerSpec, "command" | "args">): {
  Entrypoint?: readonly string[];
  Cmd?: readonly string[];
} {
  return {
    ...(spec.command?.length ? { Entrypoint: spec.command } : {}),
    ...(spec.args?.length ? { Cmd: spec.args } : {}),
  };
}

/** Part of the engine's HostConfig. */
interface EngineMount {
  Type: "bind" | "volume";
  Source: string;
  Target: string;
  ReadOnly?: boolean;
  BindOptions?: object;
  VolumeOptions?: object;
}

function engineMount(
  mount: ContainerMount,
  declared: VolumeMount | undefined,
  memory: readonly MemoryVolume[],
  options: ContainerOptions,
): EngineMount {
  // A part of a volume is mounted by its path on the engine's machine.
  const isWhole = !declared?.subPath && !declared?.subPathExpr;
  const named = options.volumes?.get(declared?.name ?? "");
  const kept = options.kept?.get(mount.mountPath);
  const claimed = isWhole ? named : undefined;
  const inMemory = memory.find(({ name }) => name === declared?.name)?.create.Name;
  const volume = inMemory ?? claimed;
  if (volume !== undefined) {
    return {
      Type: "volume",
      Source: volume,
      Target: mount.mountPath,
      ReadOnly: mount.readOnly,
      VolumeOptions: { NoCopy: true },
    };
  }
  const isOutside = named === undefined && options.isCopied !== true;
  const bindOptions = {
    // What lies in the engine's own directory must follow it when that is unmounted; engines insist.
    Propagation:
      PROPAGATION[declared?.mountPropagation ?? "None"] ??
      (isOutside || kept !== undefined ? "rprivate" : "rslave"),
    // What is kept is so already.
    ...(kept === undefined &&
      recursiveReadOnly(mount, declared, options.hasRecursiveReadOnly ?? false)),
  };
  // Podman leaves out what is mounted below as soon as it is given any, be it what it does by itself.
  const isDefault = options.isPodman && bindOptions.Propagation === "rprivate";
  return {
    Type: "bind",
    Source: kept ?? mount.hostPath,
    Target: mount.mountPath,
    ReadOnly: mount.readOnly,
    ...(!isDefault && { BindOptions: bindOptions }),
  };
}

/** `Enabled` must hold or fail, `IfPossible` is what engines that can do it do anyway, and `Disabled` is the default. */
function recursiveReadOnly(
  mount: ContainerMount,
  declared: VolumeMount | undefined,
  isPossible: boolean,
): object {
  const wish = declared?.recursiveReadOnly ?? "Disabled";
  if (!mount.readOnly) return {};
  if (wish === "Enabled" && !isPossible) {
    throw new RuntimeError(
      "InvalidConfig",
      `volumeMount "${declared?.name}" asks for recursiveReadOnly: Enabled, which this container engine cannot do (Docker 25 and newer can).`,
    );
  }
  if (!isPossible) return {};
  return wish === "Enabled" ? { ReadOnlyForceRecursive: true } : {};
}

/** As a kubelet, unless the container brings its own. */
function hostsMount({ mounts }: ContainerSpec, file: string | undefined): EngineMount[] {
  if (file === undefined || mounts.some(({ mountPath }) => mountPath === HOSTS_PATH)) return [];
  return [{ Type: "bind", Source: file, Target: HOSTS_PATH }];
}
