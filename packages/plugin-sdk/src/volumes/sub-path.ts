import { chmod, lstat, mkdir, realpath } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { expand } from "@interlink/protocol";
import type { VolumeMount } from "kubernetes-types/core/v1.js";
import { PluginError } from "../plugin-error.ts";
import { openBelow, openEntry, pathOf } from "./open-below.ts";

/**
 * The part of a volume that a mount wants, `""` for all of it, `subPathExpr` expanded with the container's final
 * environment. Throws `PluginError` `rejected` in the kubelet's words (kubelet-contract 4.2).
 */
export function wantedSubPath(
  mount: VolumeMount,
  env: readonly { name: string; value: string }[],
): string {
  const subPath =
    mount.subPathExpr === undefined || mount.subPathExpr === ""
      ? (mount.subPath ?? "")
      : expandAll(mount.subPathExpr, env);
  if (subPath.startsWith("/")) {
    throw new PluginError("rejected", `error SubPath \`${subPath}\` must not be an absolute path`);
  }
  if (subPath.split("/").includes("..")) {
    const why = `unable to provision SubPath \`${subPath}\`: must not contain '..'`;
    throw new PluginError("rejected", why);
  }
  if (subPath.includes("\0")) {
    throw new PluginError("rejected", "unable to provision SubPath: it must not contain a NUL");
  }
  return subPath;
}

/** Unlike in a command, a variable that is missing or empty is an error. */
function expandAll(text: string, env: readonly { name: string; value: string }[]): string {
  const values = new Map(env.map(({ name, value }) => [name, value]));
  const missing = new Set<string>();
  const expanded = expand(text, (name) => {
    const value = values.get(name) ?? "";
    if (value === "") missing.add(name);
    return value;
  });
  if (missing.size === 0) return expanded;
  const names = [...missing].toSorted((a, b) => (a < b ? -1 : 1)).join(", ");
  throw new PluginError("rejected", `missing value for ${names}`);
}

/** Which mount a message is about. */
interface MountOf {
  volume: string;
  container: string;
}

/**
 * The real path of `subPath` in the volume at `root`, made as a directory with the volume's mode if it is missing (as
 * the kubelet does). Links are followed only as long as they stay inside the volume: containers may have put them there.
 * What the path leads to later is not said: a runtime that mounts by name has to hold on to it (`ContainerMount.within`).
 */
export async function enterSubPath(root: string, subPath: string, of: MountOf): Promise<string> {
  const realRoot = await realpath(root);
  const { mode } = await lstat(realRoot);
  let at = realRoot;
  for (const name of subPath.split("/")) {
    if (name === "" || name === ".") continue;
    const next = join(at, name);
    try {
      at = await realpath(next);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw unusable(of, error);
      at = await makeDirectory(realRoot, at, name, mode & 0o7777, of);
    }
    if (at !== realRoot && !at.startsWith(realRoot + sep)) {
      throw unusable(of, new Error("it leads out of the volume"));
    }
  }
  return at;
}

/** In the directory itself, which a container may exchange for a link just now. */
async function makeDirectory(
  root: string,
  parent: string,
  name: string,
  mode: number,
  of: MountOf,
): Promise<string> {
  const path = join(parent, name);
  try {
    await using directory = await openBelow(root, relative(root, parent));
    await mkdir(`${pathOf(directory)}/${name}`);
    await using made = await openEntry(directory, name);
    await chmod(pathOf(made), mode);
    return path;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw unusable(of, error);
  }
  // Made meanwhile for another container; or a dangling link, which `realpath` calls missing again: nothing is ever
  // made at its other end.
  return realpath(path).catch((error: unknown) => {
    throw unusable(of, error);
  });
}

/** The kubelet's words, and the reason, which a kubelet keeps for its own log. */
function unusable({ volume, container }: MountOf, cause: unknown): PluginError {
  // The system's own message would name a path of the host, which is not the pod's business.
  const { code, message } = cause as NodeJS.ErrnoException;
  const why = code === undefined ? message : `it cannot be entered (${code})`;
  return new PluginError(
    "rejected",
    `failed to prepare subPath for volumeMount "${volume}" of container "${container}": ${why}`,
    { cause },
  );
}
