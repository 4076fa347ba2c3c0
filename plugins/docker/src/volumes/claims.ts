import { chmod, lstat, mkdir, realpath } from "node:fs/promises";
import { join, relative } from "node:path";
import {
  giveToGroup,
  makeBelow,
  openBelow,
  PluginError,
  pathOf,
  type VolumeResolver,
} from "@interlink/plugin-sdk";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { EngineClient } from "../engine/engine-client.ts";
import { type ClaimRule, placeOfClaim } from "./claim-rules.ts";

const SETGID = 0o2000;

/** PersistentVolumeClaims where the operator's rules say that they lie. A volume of another kind is left to others. */
export function claimResolver(rules: readonly ClaimRule[], engine: EngineClient): VolumeResolver {
  return async ({ name, persistentVolumeClaim }, pod) => {
    if (!persistentVolumeClaim || rules.length === 0) return undefined;
    const { claimName, readOnly = false } = persistentVolumeClaim;
    const namespace = pod.metadata?.namespace ?? "";
    const place = placeOfClaim(rules, namespace, claimName);
    if (place === undefined) {
      throw new PluginError(
        "rejected",
        `volume "${name}": no rule of this plugin says where the claim ${namespace}/${claimName} lies; ask the operator of this site to add one (claims), or use a claim that has one.`,
      );
    }
    const isReadOnly = readOnly || place.readOnly;
    if ("volume" in place) {
      const path = await ensureVolume(engine, place.volume);
      if (!isReadOnly) await giveOnce(path, pod).catch(ignoreHidden);
      return { hostPath: path, readOnly: isReadOnly, isFixed: place.readOnly };
    }
    const { hostPath, within } = await ensureDirectory(place, name);
    if (!isReadOnly) await giveOnce(hostPath, pod);
    return {
      hostPath,
      readOnly: isReadOnly,
      ...(hostPath !== within && { within }),
      isFixed: place.readOnly,
    };
  };
}

/** Path of the volume on the engine's machine. */
async function ensureVolume(engine: EngineClient, name: string): Promise<string> {
  const { Mountpoint } = await engine.json<{ Mountpoint: string }>({
    method: "POST",
    path: "/volumes/create",
    // No labels of ours: it outlives every pod, and the plugin.
    body: { Name: name },
    signal: new AbortController().signal,
  });
  return Mountpoint;
}

/** Links in the part that follows from the pod's names are nobody's but a pod's or a user's, and not followed. */
async function ensureDirectory(
  { directory, within }: { directory: string; within: string },
  volume: string,
): Promise<{ hostPath: string; within: string }> {
  try {
    const isNew = await mkdir(within, { recursive: true, mode: 0o755 });
    const root = await realpath(within);
    const below = relative(within, directory);
    const isThere = await openBelow(root, below).then(
      (handle) => handle.close().then(() => true),
      () => false,
    );
    await using place = await makeBelow(root, below);
    if (!(await place.stat()).isDirectory()) throw new Error("it is no directory");
    // As provisioners of local volumes do: the pod may run as anybody.
    if (!isThere || (isNew !== undefined && below === "")) await chmod(pathOf(place), 0o777);
    return { hostPath: join(root, below), within: root };
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "ELOOP" ? "a part of it is a link" : (code ?? message);
    throw new PluginError("rejected", `volume "${volume}": its directory cannot be made (${why})`, {
      cause,
    });
  }
}

/** Like `fsGroupChangePolicy: OnRootMismatch`, always: a large claim is not walked through for each pod. */
async function giveOnce(path: string, { spec }: Pod): Promise<void> {
  const group = spec?.securityContext?.fsGroup;
  if (group === undefined || process.geteuid?.() !== 0) return;
  const { gid, mode } = await lstat(path);
  if (gid === group && (mode & SETGID) !== 0) return;
  await giveToGroup(path, group, false);
}

/** A volume of an engine elsewhere, or of a driver that mounts it only for containers. */
function ignoreHidden(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT" && error.code !== "EACCES") throw error;
}
