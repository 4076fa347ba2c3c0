import { statfs } from "node:fs/promises";
import type { EngineClient } from "../engine/engine-client.ts";
import { isEngineError } from "../engine/engine-error.ts";
import type { EngineInfo } from "../runtime/engine-types.ts";
import type { DiskUse, EngineImage } from "./collection-plan.ts";

/** Part of `GET /images/json`, one entry. */
interface ImageSummary {
  Id: string;
  ParentId?: string;
  RepoTags?: string[] | null;
  RepoDigests?: string[] | null;
  Size?: number;
}

/** Docker measures all layers for it, and old ones all volumes. */
const MEASURE_MS = 10 * 60_000;
const REMOVE_MS = 5 * 60_000;

/** Every image of the engine, with those that others were built on. */
export async function listImages(
  engine: EngineClient,
  signal: AbortSignal,
): Promise<EngineImage[]> {
  const found = await engine.json<ImageSummary[]>({
    method: "GET",
    path: "/images/json",
    query: { all: true },
    signal,
  });
  // Podman lists an image once for each of its names in some versions.
  const byId = new Map(found.map((one) => [wholeId(one.Id), one]));
  return [...byId].map(([id, { ParentId, RepoTags, RepoDigests, Size }]) => {
    const tags = (RepoTags ?? []).filter(isName);
    return {
      id,
      names: tags.length > 0 ? tags : (RepoDigests ?? []).filter(isName),
      ...(ParentId && { parent: wholeId(ParentId) }),
      bytes: Size ?? 0,
    };
  });
}

/** Ids of images that any container has, whoever made it. */
export async function imagesInUse(engine: EngineClient, signal: AbortSignal): Promise<Set<string>> {
  const containers = await engine.json<{ ImageID: string }[]>({
    method: "GET",
    path: "/containers/json",
    query: { all: true },
    signal,
  });
  return new Set(containers.map(({ ImageID }) => wholeId(ImageID)));
}

/**
 * Takes all its names away, and with the last one the image. Never by force: the engine itself refuses to remove what
 * has become used in the meantime, which throws its words.
 */
export async function removeImage(
  engine: EngineClient,
  { id, names }: EngineImage,
  signal: AbortSignal,
): Promise<void> {
  for (const name of names.length > 0 ? names : [id]) {
    try {
      await engine.json({
        method: "DELETE",
        path: `/images/${encodeReference(name)}`,
        signal,
        deadlineMs: REMOVE_MS,
      });
    } catch (error) {
      if (!isEngineError(error, "not-found")) throw error;
    }
  }
}

/** The disk of the engine's own directory, if this process sees it: only of an engine on this machine. */
export async function engineDisk(
  engine: EngineClient,
  signal: AbortSignal,
): Promise<DiskUse | undefined> {
  const { DockerRootDir } = await engine.json<EngineInfo>({ method: "GET", path: "/info", signal });
  return diskAt(engine, DockerRootDir);
}

/** The same, of the directory that the engine has named. */
export async function diskAt(
  engine: Pick<EngineClient, "address">,
  rootDir: string | undefined,
): Promise<DiskUse | undefined> {
  if (engine.address.kind !== "unix" || !rootDir) return undefined;
  try {
    const { blocks, bavail, bsize } = await statfs(rootDir);
    return { used: (blocks - bavail) * bsize, total: blocks * bsize };
  } catch (error) {
    // The plugin may run in a container of its own.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** What images take of the space that they may have. */
export async function imageSpace(
  engine: EngineClient,
  total: number,
  signal: AbortSignal,
): Promise<DiskUse> {
  const { LayersSize = 0 } = await engine.json<{ LayersSize?: number }>({
    method: "GET",
    path: "/system/df",
    query: { type: "image" },
    signal,
    deadlineMs: MEASURE_MS,
  });
  if (LayersSize > 0) return { used: LayersSize, total };
  // Podman before 5 does not add it up. Layers of several images count with each.
  const images = await listImages(engine, signal);
  return { used: images.reduce((sum, { bytes }) => sum + bytes, 0), total };
}

/** The engine routes by slashes that stand for themselves; everything else that could end a path is escaped. */
export function encodeReference(text: string): string {
  return text.split("/").map(encodeURIComponent).join("/");
}

/** Podman leaves the kind of digest out in places. */
export function wholeId(id: string): string {
  return id === "" || id.includes(":") ? id : `sha256:${id}`;
}

function isName(name: string): boolean {
  return !name.includes("<none>");
}
