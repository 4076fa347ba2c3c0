import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { RetrievedPodData } from "@interlink/protocol";
import type { Container } from "kubernetes-types/core/v1.js";
import { PluginError } from "../plugin-error.ts";
import type { PlannedFile } from "../volumes/payload.ts";
import { type PlannedVolume, planVolumes } from "../volumes/plan-volumes.ts";
import { wantedSubPath } from "../volumes/sub-path.ts";
import type { BatchFile, BatchMount, BatchWordPart } from "./contract.ts";
import { encodePart } from "./encode.ts";

/** The volumes of a pod as the script finds or makes them. */
export interface BatchVolumes {
  files: readonly BatchFile[];
  /** Made by the script if they are not there; relative to the pod's directory. */
  directories: readonly BatchDirectory[];
  mounts(
    container: Container,
    env: readonly { name: string; value: string }[],
  ): { mounts: BatchMount[]; subPaths: BatchSubPath[] };
  /** A file of a volume; `undefined`: it is not there; `"unknown"`: nobody knows before the job runs. */
  read(volume: string, path: string): { content: string } | "unknown" | undefined;
}

export interface BatchDirectory {
  path: string;
  mode: number;
  /**
   * Of a volume that consists of files, which the script moves below `path` from `trees/VOLUME`: the name of their
   * directory there. The same files have the same name, other files another.
   */
  tree?: string;
}

/** A part of a volume that the script makes, or refuses to follow out of the volume, before each attempt. */
export interface BatchSubPath {
  /** A word's part, encoded. */
  root: string;
  path: string;
  volume: string;
  /** Updates change the volume: the mount is of a copy, made before each attempt. */
  isCopy: boolean;
}

interface Source {
  part: BatchWordPart;
  readOnly: boolean;
  planned: PlannedVolume;
}

/** Throws `PluginError` `rejected` in the kubelet's words for missing objects and keys, and for volumes not provided. */
export function planBatchVolumes(
  data: RetrievedPodData,
  hostVolume: ((name: string) => string | undefined) | undefined,
): BatchVolumes {
  const files: BatchFile[] = [];
  const directories: BatchDirectory[] = [];
  const sources = new Map<string, Source>();
  for (const planned of planVolumes(data)) {
    const path = `volumes/${planned.name}`;
    if (planned.kind === "other") {
      const hostPath = hostVolume?.(planned.name);
      if (hostPath === undefined) throw notProvided(planned);
      sources.set(planned.name, { part: hostPath, readOnly: false, planned });
      continue;
    }
    const isFiles = planned.kind === "files";
    if (isFiles) {
      directories.push({ path, mode: 0o755, tree: treeName(planned.files) });
      for (const { path: below, content, mode } of planned.files) {
        files.push({ path: `trees/${planned.name}/${below}`, mode, content });
      }
    } else {
      directories.push({ path, mode: 0o777 });
    }
    sources.set(planned.name, { part: { podPath: path }, readOnly: isFiles, planned });
  }
  return {
    files,
    directories,
    mounts: (container, env) => containerMounts(container, env, sources),
    read(volume, path) {
      const planned = sources.get(volume)?.planned;
      if (planned?.kind !== "files") return planned === undefined ? undefined : "unknown";
      const wanted = posix.normalize(path);
      const found = planned.files.find((file) => file.path === wanted);
      return found && { content: Buffer.from(found.content).toString("utf8") };
    },
  };
}

function containerMounts(
  { name, volumeMounts = [] }: Container,
  env: readonly { name: string; value: string }[],
  sources: ReadonlyMap<string, Source>,
): { mounts: BatchMount[]; subPaths: BatchSubPath[] } {
  const subPaths: BatchSubPath[] = [];
  const mounts = volumeMounts.map((mount): BatchMount => {
    const source = sources.get(mount.name);
    if (source === undefined) {
      throw new PluginError(
        "rejected",
        `Container "${name}" mounts the volume "${mount.name}", which the pod does not have.`,
      );
    }
    const subPath = wantedSubPath(mount, env);
    const isFiles = source.planned.kind === "files";
    const isPart = !/^[./]*$/.test(subPath);
    const copy = isFiles && isPart ? { attemptPath: `sub-${subPaths.length}` } : undefined;
    if (subPath !== "") {
      subPaths.push({
        root: encodePart(source.part),
        path: subPath,
        volume: mount.name,
        isCopy: copy !== undefined,
      });
    }
    const { mountPath } = mount;
    if (`${mountPath}${subPath}`.includes("\0")) {
      throw new PluginError("rejected", `A mount of container "${name}" must not hold a NUL.`);
    }
    return {
      source: [copy ?? withSubPath(source.part, subPath)],
      mountPath: mountPath.startsWith("/") ? mountPath : `/${mountPath}`,
      readOnly: source.readOnly || mount.readOnly === true,
    };
  });
  return { mounts, subPaths };
}

/** As a kubelet's, it begins with two dots. */
function treeName(files: readonly PlannedFile[]): string {
  const hash = createHash("sha256");
  for (const { path, content, mode } of files) {
    hash.update(`${path}\0${mode} ${content.length} `).update(content);
  }
  return `..${hash.digest("hex").slice(0, 20)}`;
}

function withSubPath(part: BatchWordPart, subPath: string): BatchWordPart {
  const names = subPath.split("/").filter((name) => name !== "" && name !== ".");
  const below = names.map((name) => `/${name}`).join("");
  if (typeof part === "string") return `${part.replace(/\/+$/, "")}${below}` || "/";
  return "podPath" in part ? { podPath: `${part.podPath}${below}` } : part;
}

function notProvided({ name, source }: PlannedVolume & { kind: "other" }): PluginError {
  return new PluginError(
    "rejected",
    `Volume "${name}" is of the kind ${source}, which this plugin does not provide.`,
  );
}
