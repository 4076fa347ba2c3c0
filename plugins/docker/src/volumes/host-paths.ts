import { mkdir, open, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, normalize, relative, sep } from "node:path";
import {
  makeBelow,
  openBelow,
  PluginError,
  type ProvidedVolume,
  pathOf,
  type VolumeResolver,
} from "@interlink/plugin-sdk";
import type { HostPathVolumeSource } from "kubernetes-types/core/v1.js";

type HostPathType = NonNullable<HostPathVolumeSource["type"]>;

/**
 * hostPath volumes below the directories that the operator has opened to pods; none by default. Links are followed
 * first, so that none leads out of them; and none leads to the plugin's own files in `root`, whatever is open. A volume
 * of another kind is left to others.
 */
export function hostPathResolver(allowed: readonly string[], root?: string): VolumeResolver {
  return async ({ name, hostPath }) => {
    if (!hostPath) return undefined;
    const { path, type = "" } = hostPath;
    if (!isAbsolute(path) || path.split(sep).includes("..")) {
      throw rejected(name, `${path} is not an absolute path`);
    }
    const place = await nearestReal(normalize(path));
    const opened = await openedAround(place, allowed);
    if (opened === undefined) {
      throw rejected(name, `${path} is not below a directory that this plugin opens to pods`);
    }
    if (root !== undefined) {
      const own = await nearestReal(normalize(root));
      if (isBelow(place, own) || isBelow(own, place)) {
        throw rejected(name, `${path} has files of the plugin's own, which no pod may mount`);
      }
    }
    return provide(name, place, opened, type);
  };
}

/** Below `opened` pods may exchange what lies there: from there on nothing is done by names that could be links. */
async function provide(
  volume: string,
  path: string,
  opened: string,
  type: HostPathType,
): Promise<ProvidedVolume> {
  const below = relative(opened, path);
  try {
    if (MADE.includes(type)) await mkdir(opened, { recursive: true, mode: 0o755 });
    await using found = await stand(opened, below, type);
    const stat = await found.stat();
    const checks: Partial<Record<string, [boolean, string]>> = {
      Directory: [stat.isDirectory(), "a directory"],
      DirectoryOrCreate: [stat.isDirectory(), "a directory"],
      File: [stat.isFile(), "a file"],
      FileOrCreate: [stat.isFile(), "a file"],
      Socket: [stat.isSocket(), "a socket file"],
      CharDevice: [stat.isCharacterDevice(), "a character device"],
      BlockDevice: [stat.isBlockDevice(), "a block device"],
    };
    const [fits, what] = checks[type] ?? [true, ""];
    if (!fits) throw rejected(volume, `hostPath type check failed: ${path} is not ${what}`);
  } catch (cause) {
    if (cause instanceof PluginError) throw cause;
    const { code = "unknown error" } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "does not exist" : `cannot be used (${code})`;
    throw rejected(volume, `hostPath type check failed: ${path} ${why}`, cause);
  }
  return { hostPath: path, ...(below !== "" && { within: opened }) };
}

/** Kubernetes lets a container runtime make what a hostPath without type names. */
const MADE: readonly HostPathType[] = ["", "DirectoryOrCreate", "FileOrCreate"];

async function stand(opened: string, below: string, type: HostPathType) {
  try {
    return await openBelow(opened, below);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" || !MADE.includes(type)) throw error;
  }
  if (type !== "FileOrCreate") return makeBelow(opened, below);
  await using directory = await openBelow(opened, dirname(below));
  const file = await open(`${pathOf(directory)}/${basename(below)}`, "wx", 0o644);
  await file.close();
  return openBelow(opened, below);
}

/** The path with the links in its existing part followed. */
async function nearestReal(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await nearestReal(parent), path.slice(parent.length));
  }
}

/** The open directory that the path lies in, without links. */
async function openedAround(path: string, allowed: readonly string[]): Promise<string | undefined> {
  for (const directory of allowed) {
    const real = await nearestReal(normalize(directory));
    if (isBelow(path, real))
      return real.length > 1 && real.endsWith(sep) ? real.slice(0, -1) : real;
  }
  return undefined;
}

function isBelow(path: string, directory: string): boolean {
  return (
    path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep)
  );
}

function rejected(volume: string, why: string, cause?: unknown): PluginError {
  return new PluginError("rejected", `volume "${volume}": ${why}`, { cause });
}
