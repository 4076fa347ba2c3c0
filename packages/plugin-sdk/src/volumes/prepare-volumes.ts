import { access, chmod, mkdir, realpath, rename } from "node:fs/promises";
import { join } from "node:path";
import type { RetrievedPodData } from "@interlink/protocol";
import type { Container, Pod, VolumeMount } from "kubernetes-types/core/v1.js";
import { PluginError } from "../plugin-error.ts";
import type { ContainerMount } from "../runtime/container-runtime.ts";
import { type FileVolumeOptions, writeFileVolume } from "./file-volume.ts";
import { giveToGroup } from "./fs-group.ts";
import type { PlannedVolume } from "./plan-volumes.ts";
import { planVolumes } from "./plan-volumes.ts";
import type { PodVolumes, PrepareVolumesOptions } from "./pod-volumes.ts";
import { readInVolume } from "./read-in-volume.ts";
import { enterSubPath, wantedSubPath } from "./sub-path.ts";

/** A volume on disk. */
interface PreparedVolume {
  path: string;
  readOnly: boolean;
  /** Only as a hint, see `ContainerMount.tmpfs`. */
  memory?: { sizeBytes?: number };
  /** For the whole of it, see `ContainerMount.within`. */
  within?: string;
  /** No container can write to it. */
  isFixed?: boolean;
}

/**
 * Write a pod's volumes below `options.directory`. Repeatable: after a crash files are completed, what is already right
 * stays untouched, emptyDirs keep their content. Throws `PluginError` `rejected` in the kubelet's words for a missing
 * object or key, and for a kind of volume that neither the SDK nor `resolveVolume` provides.
 */
export async function prepareVolumes(
  data: RetrievedPodData,
  options: PrepareVolumesOptions,
): Promise<PodVolumes> {
  const prepared = new Map<string, PreparedVolume>();
  for (const planned of planVolumes(data)) {
    options.signal?.throwIfAborted();
    prepared.set(planned.name, await prepareVolume(planned, data.pod, options));
  }
  return {
    async mounts(container, env) {
      const mounts: ContainerMount[] = [];
      for (const mount of container.volumeMounts ?? []) {
        mounts.push(await containerMount(mount, container, env, prepared, data.pod));
      }
      return mounts;
    },
    async read(volume, path) {
      const found = prepared.get(volume);
      if (found !== undefined) return readInVolume(found.path, path);
      throw new PluginError("rejected", `the pod has no volume ${JSON.stringify(volume)}`);
    },
  };
}

/**
 * Give the volumes that consist of files a newer content, below `options.directory`, under whoever has them mounted.
 * `subPath` mounts keep what they were made with. Repeatable. Throws `PluginError` `rejected` before anything is
 * written when an object or key is missing.
 */
export async function updateVolumes(
  data: RetrievedPodData,
  options: Pick<PrepareVolumesOptions, "directory" | "now" | "signal"> &
    Pick<FileVolumeOptions, "keepsOld">,
): Promise<void> {
  const { directory, now = Date.now, signal, keepsOld } = options;
  const group = ownGroup(data.pod);
  for (const planned of planVolumes(data)) {
    if (planned.kind !== "files") continue;
    signal?.throwIfAborted();
    await writeFileVolume(join(directory, planned.name), planned.files, {
      now: now(),
      group,
      ...(keepsOld && { keepsOld }),
    });
  }
}

async function prepareVolume(
  planned: PlannedVolume,
  pod: Pod,
  { directory, resolveVolume, now = Date.now }: PrepareVolumesOptions,
): Promise<PreparedVolume> {
  const path = join(directory, planned.name);
  if (planned.kind === "files") {
    await writeFileVolume(path, planned.files, { now: now(), group: ownGroup(pod) });
    return { path, readOnly: true, isFixed: true };
  }
  if (planned.kind === "emptyDir") {
    await makeEmptyDir(path, ownGroup(pod));
    const { memory, sizeBytes } = planned;
    const size = sizeBytes === undefined ? {} : { sizeBytes };
    return { path, readOnly: false, ...(memory && { memory: size }) };
  }
  const provided = await resolveVolume?.(planned.volume, pod);
  if (provided === undefined) {
    throw new PluginError(
      "rejected",
      `Volume "${planned.name}" is of the kind ${planned.source}, which this plugin does not provide.`,
    );
  }
  const { hostPath, readOnly = false, within, isFixed } = provided;
  return {
    path: hostPath,
    readOnly,
    ...(within !== undefined && { within }),
    ...(isFixed !== undefined && { isFixed }),
  };
}

/**
 * Open to every user of every container, as the kubelet makes it. One that is there is in use and left alone; so it
 * appears under its name (which holds no dot) only when it is whole.
 */
async function makeEmptyDir(path: string, group: number | undefined): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  const making = `${path}.making`;
  await mkdir(making, { recursive: true });
  await chmod(making, 0o777);
  if (group !== undefined) await giveToGroup(making, group, false);
  await rename(making, path);
}

async function containerMount(
  mount: VolumeMount,
  container: Container,
  env: readonly { name: string; value: string }[],
  prepared: ReadonlyMap<string, PreparedVolume>,
  pod: Pod,
): Promise<ContainerMount> {
  const volume = prepared.get(mount.name);
  if (volume === undefined) {
    throw new PluginError(
      "rejected",
      `Container "${container.name}" mounts the volume "${mount.name}", which the pod does not have.`,
    );
  }
  const subPath = wantedSubPath(mount, env);
  const of = { volume: mount.name, container: container.name };
  const hostPath = subPath === "" ? volume.path : await enterSubPath(volume.path, subPath, of);
  const within = volume.within ?? (subPath === "" ? undefined : await realpath(volume.path));
  return {
    hostPath,
    ...(within !== undefined && volume.isFixed !== true && { within }),
    mountPath: mount.mountPath.startsWith("/") ? mount.mountPath : `/${mount.mountPath}`,
    readOnly: volume.readOnly || mount.readOnly === true,
    ...(volume.memory && subPath === "" && mayBeTmpfs(mount.name, pod) && { tmpfs: volume.memory }),
  };
}

/**
 * A tmpfs lives and dies with one container, an emptyDir with the pod. So the hint is given only where nobody can tell
 * the difference: mounted once, in a pod whose containers are never started again.
 */
function mayBeTmpfs(volume: string, { spec }: Pod): boolean {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const mounts = containers.flatMap(({ volumeMounts }) => volumeMounts ?? []);
  return spec?.restartPolicy === "Never" && mounts.filter((m) => m.name === volume).length === 1;
}

/** Only root can give files to a group that it is not in; others run pods as themselves and need not. */
function ownGroup({ spec }: Pod): number | undefined {
  const group = spec?.securityContext?.fsGroup;
  return process.geteuid?.() === 0 && Number.isInteger(group) ? group : undefined;
}
