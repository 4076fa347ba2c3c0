import { mkdir, open, realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, normalize, sep } from "node:path";
import { PluginError, type ProvidedVolume, type VolumeResolver } from "@interlink/plugin-sdk";
import type { HostPathVolumeSource } from "kubernetes-types/core/v1.js";

/**
 * hostPath volumes below the directories that the operator has opened to pods; none by default. Links are followed
 * first, so that none leads out of them. A volume of another kind is left to others.
 */
export function hostPathResolver(allowed: readonly string[]): VolumeResolver {
  return async ({ name, hostPath }) => {
    if (hostPath === undefined) return undefined;
    const { path, type = "" } = hostPath;
    if (!isAbsolute(path) || path.split(sep).includes("..")) {
      throw rejected(name, `${path} is not an absolute path`);
    }
    const place = await nearestReal(normalize(path));
    if (!(await isBelow(place, allowed))) {
      throw rejected(name, `${path} is not below a directory that this plugin opens to pods`);
    }
    return provide(name, place, type);
  };
}

async function provide(
  name: string,
  path: string,
  type: NonNullable<HostPathVolumeSource["type"]>,
): Promise<ProvidedVolume> {
  if (type === "DirectoryOrCreate") await mkdir(path, { recursive: true, mode: 0o755 });
  if (type === "FileOrCreate") await (await open(path, "a", 0o644)).close();
  const found = await stat(path).catch((cause: unknown) => {
    // Kubernetes lets a container runtime make what a hostPath without type names.
    if (type === "") return undefined;
    throw rejected(name, `hostPath type check failed: ${path} does not exist`, cause);
  });
  if (found === undefined) {
    await mkdir(path, { recursive: true, mode: 0o755 });
    return { hostPath: path };
  }
  const checks: Partial<Record<string, [boolean, string]>> = {
    Directory: [found.isDirectory(), "a directory"],
    DirectoryOrCreate: [found.isDirectory(), "a directory"],
    File: [found.isFile(), "a file"],
    FileOrCreate: [found.isFile(), "a file"],
    Socket: [found.isSocket(), "a socket file"],
    CharDevice: [found.isCharacterDevice(), "a character device"],
    BlockDevice: [found.isBlockDevice(), "a block device"],
  };
  const [fits, what] = checks[type] ?? [true, ""];
  if (!fits) throw rejected(name, `hostPath type check failed: ${path} is not ${what}`);
  return { hostPath: path };
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

async function isBelow(path: string, allowed: readonly string[]): Promise<boolean> {
  for (const directory of allowed) {
    const real = await nearestReal(normalize(directory));
    if (path === real || path.startsWith(real.endsWith(sep) ? real : real + sep)) return true;
  }
  return false;
}

function rejected(volume: string, why: string, cause?: unknown): PluginError {
  return new PluginError("rejected", `volume "${volume}": ${why}`, { cause });
}
