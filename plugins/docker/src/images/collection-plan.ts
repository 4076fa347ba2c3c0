import type { RememberedImage } from "./image-memory.ts";
import { type ImageReference, parseReference, showReference } from "./reference.ts";

/** When images are removed to make room, and which; a kubelet's rules (Kubernetes `pkg/kubelet/images/image_gc_manager.go`). */
export interface CollectionRules {
  /** Use of the disk at which images are removed, in percent. */
  highPercent: number;
  /** Use of the disk down to which they are removed. */
  lowPercent: number;
  /** Pulled, or needed, so short a time ago, an image stays. */
  minAgeMs: number;
  /** Images that this plugin did not pull may go, too. */
  others: boolean;
}

/** In bytes. What nobody but the superuser can have counts as used. */
export interface DiskUse {
  used: number;
  total: number;
}

/** An image of the engine. */
export interface EngineImage {
  id: string;
  /** As the engine has them: its tags, or its digests if it has no tag. */
  names: readonly string[];
  /** Image that it was built on, if it was built here. */
  parent?: string;
  /** With what it shares with others. */
  bytes: number;
}

export interface CollectionInput {
  images: readonly EngineImage[];
  /** Ids of images of which there is a container, be it running or not, whoever made it. */
  inUse: ReadonlySet<string>;
  /** Whole names, or repositories, of images that never go. */
  kept: readonly string[];
  remembered: (id: string) => RememberedImage | undefined;
  rules: CollectionRules;
  now: number;
}

/** Whether it is time to make room. */
export function isTooFull({ used, total }: DiskUse, { highPercent }: CollectionRules): boolean {
  return total > 0 && (used / total) * 100 >= highPercent;
}

/** Bytes that are to be freed; 0 or less: none. */
export function bytesToFree({ used, total }: DiskUse, { lowPercent }: CollectionRules): number {
  return Math.ceil(used - (total * lowPercent) / 100);
}

/**
 * What goes to free so many bytes: the longest unused first, no more than needed. Shared layers are counted with each
 * image, so this frees less rather than more; whoever carries it out measures again.
 */
export function imagesToRemove(input: CollectionInput, bytes: number): EngineImage[] {
  const { images, remembered } = input;
  const parents = new Set(images.map(({ parent }) => parent));
  const candidates = images
    .filter((image) => !parents.has(image.id) && mayGo(image, input))
    .map((image) => ({ image, memory: remembered(image.id) }))
    .sort(
      (a, b) =>
        (a.memory?.usedAt ?? 0) - (b.memory?.usedAt ?? 0) ||
        (a.memory?.seenAt ?? 0) - (b.memory?.seenAt ?? 0),
    );
  const chosen: EngineImage[] = [];
  let freed = 0;
  for (const { image } of candidates) {
    if (freed >= bytes) break;
    chosen.push(image);
    freed += image.bytes;
  }
  return chosen;
}

function mayGo(image: EngineImage, input: CollectionInput): boolean {
  const { inUse, kept, remembered, rules, now } = input;
  const memory = remembered(image.id);
  if (memory === undefined || inUse.has(image.id)) return false;
  if (now - Math.max(memory.seenAt, memory.usedAt) < rules.minAgeMs) return false;
  const names = image.names.map(complete);
  if (kept.includes(image.id) || names.some((name) => isKept(name, kept))) return false;
  return rules.others || isOwn(names, memory.names);
}

/** This plugin has pulled it, and nobody has given it another name since. */
function isOwn(names: readonly ImageName[], pulled: readonly string[]): boolean {
  if (pulled.length === 0) return false;
  const repositories = new Set(pulled.map((name) => complete(name).repository));
  // Its digest stays when its tag has moved on to a newer image.
  return names.every(({ whole, repository, isDigest }) =>
    isDigest ? repositories.has(repository) : pulled.includes(whole),
  );
}

function isKept({ whole, repository }: ImageName, kept: readonly string[]): boolean {
  return kept.includes(whole) || kept.includes(repository);
}

interface ImageName {
  whole: string;
  repository: string;
  isDigest: boolean;
}

/** Engines leave out what is the default. */
function complete(name: string): ImageName {
  const reference: ImageReference | undefined = parseReference(name);
  if (reference === undefined) return { whole: name, repository: name, isDigest: false };
  return {
    whole: showReference(reference),
    repository: `${reference.domain}/${reference.path}`,
    isDigest: reference.digest !== undefined,
  };
}
