import { readdir, readFile, readlink, realpath, stat, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { type ContainerMount, type ContainerSpec, RuntimeError } from "@interlink/plugin-sdk";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { EngineClient } from "../engine/engine-client.ts";
import { isEngineError, isNameTaken } from "../engine/engine-error.ts";
import { filesEngineName, filesLabels } from "../pods/labels.ts";
import { firstFileOf, type TarEntry, tarOf } from "../sandbox/tar.ts";
import { mayBeExchanged } from "../volumes/exchangeable.ts";
import { declaredMount } from "../volumes/mount-keeper.ts";
import { readTree } from "./read-tree.ts";

export interface PodFilesOptions {
  plugin: string;
  /** Directory of a pod on this machine. */
  directory: (uid: string) => string;
  /** Image of the container through which files are copied; it is never started. */
  image: (signal: AbortSignal) => Promise<string>;
}

/** Where the volume with the pod's files is mounted in that container. */
const AT = "/pod";
/** A kubelet takes no longer message; what else is in the archive is its headers. */
const MESSAGE_BYTES = 4096;
const ARCHIVE_BYTES = MESSAGE_BYTES + 16 * 1024;

/**
 * The files of pods on an engine that does not see this machine's file system. Each pod's directory has its like in a
 * volume of the engine: what is to be mounted is copied there, and mounted by its path on the engine's machine. So
 * containers of a pod share volumes as they would here. Everything goes with the pod, by its labels.
 */
export class PodFiles {
  readonly #engine: EngineClient;
  readonly #options: PodFilesOptions;
  /** What was copied by this process: volumes of each pod, with the version that they have. */
  readonly #copied = new Map<string, Map<string, string>>();

  constructor(engine: EngineClient, options: PodFilesOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /**
   * Copies what a container mounts, and gives its spec with the paths of the engine's machine. `isNamed`: whether a
   * volume of the pod is one of the engine anyhow. Throws `RuntimeError` `InvalidConfig` for what cannot be had there.
   */
  async place(
    spec: ContainerSpec,
    hostsFile: string | undefined,
    isNamed: (volume: string) => boolean,
    signal: AbortSignal,
  ): Promise<{ spec: ContainerSpec; hostsFile?: string }> {
    const { uid = "" } = spec.pod.metadata ?? {};
    const home = await this.#home(spec.pod, signal);
    const root = await realpath(this.#options.directory(uid));
    const there = (path: string): string => join(home, relative(root, path));
    const mounts: ContainerMount[] = [];
    for (const mount of spec.mounts) {
      const volume = declaredMount(spec, mount)?.name ?? "";
      if (isNamed(volume)) {
        mounts.push(mount);
        continue;
      }
      const path = await realpath(mount.hostPath);
      if (!path.startsWith(join(root, "volumes") + sep)) throw elsewhere(volume);
      await this.#copyMount(spec, path, root, volume, signal);
      mounts.push({ ...mount, hostPath: there(path) });
    }
    const own = [spec.terminationMessageFile, ...(hostsFile === undefined ? [] : [hostsFile])];
    const files = await Promise.all(own.map(async (file) => realpath(file)));
    await this.#put(uid, await this.#filesWithParents(root, files), signal);
    const [message = "", hosts] = files.map(there);
    return {
      spec: { ...spec, mounts, terminationMessageFile: message },
      ...(hosts !== undefined && { hostsFile: hosts }),
    };
  }

  /** Copies a file of the pod's directory once more, over the one that is there. */
  async renew(uid: string, file: string, signal: AbortSignal): Promise<void> {
    const root = await realpath(this.#options.directory(uid));
    const path = await realpath(file);
    await this.#put(uid, [await fileEntry(path, relative(root, path))], signal);
  }

  /** Volumes that consist of files have another content here: also there, if they were copied. */
  async refresh(uid: string, signal: AbortSignal): Promise<void> {
    const volumes = join(this.#options.directory(uid), "volumes");
    for (const volume of await readdir(volumes)) {
      const directory = join(volumes, volume);
      try {
        if ((await versionOf(directory)) !== undefined) {
          await this.#copyVolume(uid, directory, signal);
        }
      } catch (error) {
        // Nothing of the pod is there yet: its containers will have what is here by then.
        if (!isEngineError(error, "not-found")) throw error;
      }
    }
  }

  /** Brings what an ended container has written as its termination message to where the supervisor reads it. */
  async fetchMessage(
    { uid, containerName, attempt }: { uid: string; containerName: string; attempt: number },
    file: string,
    signal: AbortSignal,
  ): Promise<void> {
    const below = join("containers", containerName, String(attempt), file);
    const path = join(this.#options.directory(uid), below);
    try {
      const archive = await this.#engine.stream({
        method: "GET",
        path: `/containers/${filesEngineName(uid)}/archive`,
        query: { path: `${AT}/${below}` },
        signal,
      });
      const message = firstFileOf(await beginning(archive, ARCHIVE_BYTES), MESSAGE_BYTES);
      if (message !== undefined && message.length > 0) await writeFile(path, message);
    } catch (error) {
      // The pod is going, or has gone.
      const isGone = (error as NodeJS.ErrnoException).code === "ENOENT";
      if (!isGone && !isEngineError(error, "not-found")) throw error;
    }
  }

  forget(uid: string): void {
    this.#copied.delete(uid);
  }

  /** Path of the pod's volume on the engine's machine; the volume and the way into it are made if they are missing. */
  async #home(pod: Pod, signal: AbortSignal): Promise<string> {
    const { uid = "" } = pod.metadata ?? {};
    const name = filesEngineName(uid);
    const Labels = filesLabels(this.#options.plugin, pod);
    const { Mountpoint } = await this.#engine.json<{ Mountpoint: string }>({
      method: "POST",
      path: "/volumes/create",
      body: { Name: name, Driver: "local", Labels },
      signal,
    });
    if (this.#copied.has(uid)) return Mountpoint;
    const Mounts = [{ Type: "volume", Source: name, Target: AT, VolumeOptions: { NoCopy: true } }];
    try {
      await this.#engine.json({
        method: "POST",
        path: "/containers/create",
        query: { name },
        body: {
          Image: await this.#options.image(signal),
          Entrypoint: ["/pause"],
          Labels,
          HostConfig: { NetworkMode: "none", LogConfig: { Type: "none" }, Mounts },
        },
        signal,
      });
    } catch (error) {
      if (!isNameTaken(error)) throw error;
    }
    this.#copied.set(uid, new Map());
    return Mountpoint;
  }

  async #copyMount(
    { pod, container }: ContainerSpec,
    path: string,
    root: string,
    volume: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { uid = "" } = pod.metadata ?? {};
    const whole = join(root, "volumes", volume);
    const isFiles = await this.#copyVolume(uid, whole, signal);
    if (isFiles || path === whole) return;
    if (mayBeExchanged(pod, container.name, volume)) {
      throw new RuntimeError(
        "InvalidConfig",
        `failed to prepare subPath for volumeMount "${volume}" of container "${container.name}": others can write to this volume and lead the mount elsewhere, which this plugin cannot prevent on an engine of another machine. Mount the whole volume.`,
      );
    }
    // A link in the way is refused by the engine, as none of these may take the place of something else.
    const parts = relative(whole, path).split(sep);
    const parents = parts.map((_, index) => join(whole, ...parts.slice(0, index + 1)));
    const entries = await Promise.all(
      parents.map((one) => directoryEntry(one, relative(root, one))),
    );
    await this.#put(uid, entries, signal);
  }

  /** Whether it is one that consists of files. Others are the pod's own once they are there. */
  async #copyVolume(uid: string, directory: string, signal: AbortSignal): Promise<boolean> {
    const version = await versionOf(directory);
    const volume = directory.split(sep).at(-1) ?? "";
    const known = this.#copied.get(uid);
    if (known?.get(volume) === (version ?? "")) return version !== undefined;
    const name = join("volumes", volume);
    const isKept = version === undefined && (await this.#isThere(uid, name, signal));
    if (!isKept) {
      const entries =
        version === undefined
          ? [await directoryEntry(directory, name)]
          : await readTree(directory, name);
      await this.#put(uid, entries, signal);
    }
    known?.set(volume, version ?? "");
    return version !== undefined;
  }

  async #isThere(uid: string, name: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#engine.json({
        method: "HEAD",
        path: `/containers/${filesEngineName(uid)}/archive`,
        query: { path: `${AT}/${name}` },
        signal,
      });
      return true;
    } catch (error) {
      if (isEngineError(error, "not-found")) return false;
      throw error;
    }
  }

  async #filesWithParents(root: string, files: readonly string[]): Promise<TarEntry[]> {
    const parents = new Set(
      files.flatMap((file) => {
        const parts = relative(root, file).split(sep).slice(0, -1);
        return parts.map((_, index) => join(...parts.slice(0, index + 1)));
      }),
    );
    return [
      ...(await Promise.all([...parents].map((one) => directoryEntry(join(root, one), one)))),
      ...(await Promise.all(files.map((file) => fileEntry(file, relative(root, file))))),
    ];
  }

  async #put(uid: string, entries: readonly TarEntry[], signal: AbortSignal): Promise<void> {
    try {
      await this.#engine.json({
        method: "PUT",
        path: `/containers/${filesEngineName(uid)}/archive`,
        query: { path: AT, noOverwriteDirNonDir: true },
        body: tarOf(entries),
        signal,
      });
    } catch (error) {
      // Somebody has removed the way in: the next try makes it anew.
      if (isEngineError(error, "not-found")) this.#copied.delete(uid);
      throw error;
    }
  }
}

/** Another word for each content of a volume that consists of files; `undefined` for other volumes. */
async function versionOf(directory: string): Promise<string | undefined> {
  return readlink(join(directory, "..data")).catch(() => undefined);
}

function elsewhere(volume: string): RuntimeError {
  return new RuntimeError(
    "InvalidConfig",
    `The volume "${volume}" lies on the machine of the plugin, whose files the container engine does not see. Use a volume of the engine (claims with "volume"), or run the plugin on the engine's machine.`,
  );
}

async function directoryEntry(path: string, name: string): Promise<TarEntry> {
  const { mode, gid } = await stat(path);
  return { name, type: "directory", mode: mode & 0o7777, gid };
}

async function fileEntry(path: string, name: string): Promise<TarEntry> {
  const { mode, gid } = await stat(path);
  return { name, content: await readFile(path), mode: mode & 0o7777, gid };
}

async function beginning(stream: AsyncIterable<Uint8Array>, bytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop ends the call.
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= bytes) break;
  }
  return Buffer.concat(chunks);
}
