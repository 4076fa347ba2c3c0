import { readFile, stat } from "node:fs/promises";
import { type ContainerMount, type ContainerSpec, RuntimeError } from "@interlink/plugin-sdk";
import type { VolumeMount } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";
import { mayBeExchanged } from "./exchangeable.ts";
import { type Attempt, type HeldMounts, MountFailure } from "./held-mounts.ts";
import { mountsBelow } from "./mount-table.ts";

/** What the keeper may do on this machine. */
export interface MountKeeperOptions {
  /** Left out where this process cannot mount for the engine: not root, or the engine is elsewhere. */
  held?: HeldMounts;
  /** Lets containers have mounts that could be exchanged, where nothing can hold them. */
  allowUnheld: boolean;
  logger: Logger;
}

/** What of a container's mounts the engine is to take from elsewhere, by their paths in the container. */
export type KeptMounts = ReadonlyMap<string, string>;

/**
 * Sees to it that what the engine mounts is what was checked, and that what is read-only stays so all the way down. It
 * does so by mounts of its own; where it cannot have those, containers whose mounts could be exchanged are refused.
 */
export class MountKeeper {
  readonly #options: MountKeeperOptions;
  #held: HeldMounts | undefined;
  #hasHeld = false;

  constructor(options: MountKeeperOptions) {
    this.#options = options;
    this.#held = options.held;
  }

  /** Throws `RuntimeError` `InvalidConfig` in a kubelet's words where a mount leads elsewhere by now, or may. */
  async keep(spec: ContainerSpec, hasRecursiveReadOnly: boolean): Promise<KeptMounts> {
    const kept = new Map<string, string>();
    for (const [index, mount] of spec.mounts.entries()) {
      const declared = declaredMount(spec, mount);
      // Propagation both ways ends at a mount of the plugin's; only privileged containers may have it.
      if (declared?.mountPropagation === "Bidirectional") continue;
      const isOnlyTop = mount.readOnly && !hasRecursiveReadOnly;
      const isLeaking = isOnlyTop && (await this.#isLeaking(spec, mount, declared));
      if (mount.within === undefined && !isLeaking) continue;
      const path = await this.#hold(spec, index, mount, declared);
      if (path !== undefined) kept.set(mount.mountPath, path);
    }
    return kept;
  }

  /**
   * Whether the engine has refused to make a container because it does not see a mount of this process: then
   * {@link keep} is to be asked again. Where the mount is there, the engine sees none, and from then on there are none, as
   * if they could not be made.
   */
  async isUnseen(error: unknown, uid: string): Promise<boolean> {
    const held = this.#held;
    if (held === undefined || !(error instanceof Error)) return false;
    const { message } = error;
    const at = message.indexOf(held.directory);
    if (at < 0 || !/does not exist|no such file/i.test(message)) return false;
    const [path = ""] = /^[A-Za-z0-9._/-]+/.exec(message.slice(at)) ?? [];
    if (await isThere(path)) this.#giveUp("the engine does not see them", error);
    else
      this.#options.logger.warn({ err: error, uid }, "a mount was gone before the engine took it");
    return true;
  }

  async release(owner: Attempt | { uid: string }): Promise<void> {
    await this.#options.held?.release(owner);
  }

  async #hold(
    spec: ContainerSpec,
    index: number,
    mount: ContainerMount,
    declared: VolumeMount | undefined,
  ): Promise<string | undefined> {
    const { pod, container, attempt } = spec;
    const volume = declared?.name ?? "";
    if (this.#held !== undefined) {
      const owner = { uid: pod.metadata?.uid ?? "", containerName: container.name, attempt };
      try {
        const path = await holdTwice(this.#held, owner, index, mount);
        this.#hasHeld = true;
        return path;
      } catch (cause) {
        // What this machine lets it do once is not forbidden the next time.
        if (!(cause instanceof MountFailure) || this.#hasHeld)
          throw changed(volume, container.name, cause);
        this.#giveUp("they cannot be made", cause);
      }
    }
    const isSafe = mount.within === undefined || !mayBeExchanged(pod, container.name, volume);
    if (isSafe || this.#options.allowUnheld) return undefined;
    throw new RuntimeError(
      "InvalidConfig",
      `failed to prepare volumeMount "${volume}" of container "${container.name}": others can write to this volume and lead the mount elsewhere, which this plugin cannot prevent here (it is not root on the engine's machine). Mount the whole volume, or ask the operator of this site (allowUnheldMounts).`,
    );
  }

  /** Whether something is mounted below, which would stay writable. */
  async #isLeaking(
    { pod }: ContainerSpec,
    mount: ContainerMount,
    declared: VolumeMount | undefined,
  ): Promise<boolean> {
    if (this.#held === undefined) return false;
    if (declared?.recursiveReadOnly === "Enabled") return true;
    const volume = pod.spec?.volumes?.find(({ name }) => name === declared?.name);
    // In the directory of a pod nothing is ever mounted.
    if (!volume?.hostPath && !volume?.persistentVolumeClaim) return false;
    const table = await readFile("/proc/self/mountinfo", "utf8");
    return mountsBelow(table, mount.hostPath).some(({ path }) => path !== mount.hostPath);
  }

  #giveUp(why: string, err: unknown): void {
    this.#held = undefined;
    this.#options.logger.warn(
      { err },
      `mounts of the plugin's own are not used: ${why}; containers with a subPath that others could exchange are refused`,
    );
  }
}

/** mount(8) can fail when others mount at the same moment; it is asked once more. */
async function holdTwice(held: HeldMounts, ...asked: Parameters<HeldMounts["hold"]>) {
  try {
    return await held.hold(...asked);
  } catch (error) {
    if (!(error instanceof MountFailure)) throw error;
    return held.hold(...asked);
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

export function declaredMount(
  { container }: ContainerSpec,
  { mountPath }: Pick<ContainerMount, "mountPath">,
): VolumeMount | undefined {
  // The SDK makes mount paths absolute.
  return container.volumeMounts?.find(
    (one) => one.mountPath === mountPath || `/${one.mountPath}` === mountPath,
  );
}

function changed(volume: string, container: string, cause: unknown): RuntimeError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const why =
    cause instanceof MountFailure
      ? `it could not be held on to: ${message}`
      : `it was changed meanwhile (${code ?? "unknown error"})`;
  return new RuntimeError(
    "InvalidConfig",
    `failed to prepare volumeMount "${volume}" of container "${container}": ${why}`,
    { cause },
  );
}
