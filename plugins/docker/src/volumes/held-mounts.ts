import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rmdir, stat, unlink, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { type ContainerMount, openBelow } from "@interlink/plugin-sdk";
import type { EngineAddress } from "../engine/engine-address.ts";
import { mountsBelow } from "./mount-table.ts";

const run = promisify(execFile);
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
/** A bind mount takes no time; this is for a machine that hangs. */
const MOUNT_DEADLINE_MS = 10_000;

/** Whether mounts of this process can be the engine's: only root mounts, and only for this machine. */
export function canMountFor(address: Pick<EngineAddress, "kind">): boolean {
  return process.platform === "linux" && process.geteuid?.() === 0 && address.kind === "unix";
}

/** This process cannot mount. The message has the words of the system. */
export class MountFailure extends Error {
  override readonly name = "MountFailure";
}

/** One attempt of a container. */
export interface Attempt {
  uid: string;
  containerName: string;
  attempt: number;
}

/**
 * Bind mounts of the plugin's own that hold on to what was checked, as a kubelet's for subPaths
 * (`pkg/volume/util/subpath`): the engine takes a name, and what a name leads to may be exchanged by containers between
 * the check and the mount. They lie in a tmpfs of their own below /run: an engine that does not see this machine's
 * mounts finds nothing there and says so, and `rm -r` of the plugin's root never gets into what is mounted. They outlive
 * the plugin, not the machine. One step at a time, since the tmpfs comes with the first and goes with the last.
 */
export class HeldMounts {
  /** Absolute; where all of them are. */
  readonly directory: string;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(directory: string) {
    this.directory = directory;
  }

  /**
   * A path for the engine in the place of `mount.hostPath`. Throws an error of the system: `ELOOP` when a part of it
   * has become a link. Repeatable.
   */
  async hold(owner: Attempt, index: number, mount: ContainerMount): Promise<string> {
    const { hostPath, within = dirname(hostPath) } = mount;
    const below = relative(within, hostPath);
    if (below === ".." || below.startsWith(`..${sep}`)) throw new Error(`${hostPath} is elsewhere`);
    return this.#inTurn(async () => {
      await this.#open();
      await using source = await openBelow(within, below);
      const found = await source.stat();
      const target = join(this.#of(owner), String(index));
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      // Of an earlier try, which may have seen something else. What a container has of it stays.
      await this.#clear(target);
      if (found.isDirectory()) await mkdir(target);
      else await writeFile(target, "", { flag: "wx" });
      // Not followed by name: what is open is mounted. A slave, so that unmounting it is nobody else's loss.
      const from = `/proc/${process.pid}/fd/${source.fd}`;
      await mountIt("--rbind", "--make-rslave", from, target);
      if (mount.readOnly) await this.#makeReadOnly(target);
      return target;
    });
  }

  /** Lets go of what one attempt has, or the whole pod. What containers have mounted stays theirs. */
  async release(owner: Attempt | { uid: string }): Promise<void> {
    await this.#inTurn(async () => {
      if (!(await exists(this.directory))) return;
      await this.#clear(this.#of(owner));
      if ((await readdir(this.directory)).length > 0) return;
      if (await this.#isMounted(this.directory)) await unmount(this.directory);
      await rmdir(this.directory);
    });
  }

  #of(owner: Attempt | { uid: string }): string {
    const names = [owner.uid];
    if ("containerName" in owner) names.push(owner.containerName, String(owner.attempt));
    if (!names.every((name) => SAFE_NAME.test(name))) throw new Error("A name leads elsewhere.");
    return join(this.directory, ...names);
  }

  async #open(): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    if (await this.#isMounted(this.directory)) return;
    await mountIt("-t", "tmpfs", "-o", "mode=0700,nosuid,nodev", "interlink", this.directory);
  }

  /** Everything in it is a directory, or mounted over; nothing is ever removed that is not empty. */
  async #clear(path: string): Promise<void> {
    if (!(await exists(path))) return;
    if (await this.#isMounted(path)) await unmount(path);
    if (!(await stat(path)).isDirectory()) return unlink(path);
    for (const name of await readdir(path)) await this.#clear(join(path, name));
    await rmdir(path);
  }

  /** With all that is mounted below it, which engines older than Docker 25 leave writable. */
  async #makeReadOnly(target: string): Promise<void> {
    const table = await readFile("/proc/self/mountinfo", "utf8");
    for (const { path, options } of mountsBelow(table, target)) {
      const kept = options.filter((option) => option !== "rw" && option !== "ro");
      await mountIt("-o", ["remount", "bind", "ro", ...kept].join(","), path);
    }
  }

  /** The tmpfs is a device of its own, and nothing in it is mounted from it. */
  async #isMounted(path: string): Promise<boolean> {
    if (!(await exists(path))) return false;
    const around = await stat(path === this.directory ? dirname(path) : this.directory);
    return (await stat(path)).dev !== around.dev;
  }

  async #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(step);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

async function mountIt(...args: string[]): Promise<void> {
  await mounting("mount", ["--no-canonicalize", "--no-mtab", ...args]);
}

/** Lazily: what is mounted below goes with it, and who is in it just now does not keep it. */
async function unmount(path: string): Promise<void> {
  await mounting("umount", ["--no-canonicalize", "--no-mtab", "--lazy", path]);
}

async function mounting(program: string, args: string[]): Promise<void> {
  try {
    await run(program, args, { timeout: MOUNT_DEADLINE_MS });
  } catch (cause) {
    const { stderr = "", message } = cause as Error & { stderr?: string };
    throw new MountFailure(stderr.trim() || message, { cause });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );
}
