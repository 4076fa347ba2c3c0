import type { Clock } from "@interlink/plugin-sdk";
import type { Logger } from "pino";
import type { EngineClient } from "../engine/engine-client.ts";
import { isEngineError } from "../engine/engine-error.ts";
import {
  bytesToFree,
  type CollectionRules,
  type DiskUse,
  type EngineImage,
  imagesToRemove,
  isTooFull,
} from "./collection-plan.ts";
import { engineDisk, imageSpace, imagesInUse, listImages, removeImage } from "./engine-images.ts";
import type { ImageMemory } from "./image-memory.ts";

/** A kubelet's (`pkg/kubelet/kubelet.go`, ImageGCPeriod). */
const INTERVAL_MS = 5 * 60_000;

export interface ImageCollectorOptions {
  engine: EngineClient;
  memory: ImageMemory;
  rules: CollectionRules;
  /** Bytes that images may take; without it the engine's disk counts. */
  space?: number;
  /** Whole names, or repositories, of images that never go. */
  kept: readonly string[];
  clock: Clock;
  logger: Logger;
}

/** Removes images that have not been used for long when the disk gets full; looks at it now and then. */
export class ImageCollector implements AsyncDisposable {
  readonly #options: ImageCollectorOptions;
  readonly #closing = new AbortController();
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(options: ImageCollectorOptions) {
    this.#options = options;
  }

  /** The first look is at once; what it does is not waited for. */
  start(): void {
    this.soon();
  }

  /** Look now: the engine may have no room left. */
  soon(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error("The plugin is being stopped."));
    this.#cancel?.();
    await this.#running;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#closing;
    this.#cancel?.();
    let goesOn = true;
    try {
      goesOn = await this.#collect(signal);
    } catch (error) {
      if (!signal.aborted) logger.warn({ err: error }, "images could not be removed to make room");
    }
    if (signal.aborted || !goesOn) return;
    this.#cancel = clock.at(clock.now() + INTERVAL_MS, () => this.soon());
  }

  /** Gives whether it is of use to come again. */
  async #collect(signal: AbortSignal): Promise<boolean> {
    const { memory, rules, logger } = this.#options;
    const images = await this.#look(signal);
    const disk = await this.#measure(signal);
    if (disk === undefined) {
      logger.warn(
        "images are not removed to make room: the engine's disk is not seen from here; say under images.garbageCollection.space how much images may take",
      );
      return false;
    }
    if (isTooFull(disk, rules)) await this.#makeRoom(images, disk, signal);
    else logger.debug({ ...disk }, "there is room for images");
    await memory.save();
    return true;
  }

  async #makeRoom(found: EngineImage[], before: DiskUse, signal: AbortSignal): Promise<void> {
    const { rules, logger } = this.#options;
    const refused = new Set<string>();
    let images = found;
    let disk = before;
    let removed = 0;
    for (;;) {
      const bytes = bytesToFree(disk, rules);
      const batch = bytes > 0 ? await this.#choose(images, refused, bytes, signal) : [];
      if (batch.length === 0) break;
      for (const image of batch) {
        if (await this.#remove(image, signal)) removed += 1;
        else refused.add(image.id);
      }
      images = await this.#look(signal);
      disk = (await this.#measure(signal)) ?? disk;
    }
    const short = bytesToFree(disk, rules);
    if (short > 0) {
      logger.warn(
        { ...disk, short, removed },
        "the disk is too full, and no more images can be removed: the others are used, too young, kept, or not of this plugin",
      );
    } else logger.info({ ...disk, removed }, "images were removed to make room");
  }

  async #choose(
    images: readonly EngineImage[],
    refused: ReadonlySet<string>,
    bytes: number,
    signal: AbortSignal,
  ): Promise<EngineImage[]> {
    const { engine, memory, rules, kept, clock } = this.#options;
    return imagesToRemove(
      {
        images,
        // Asked again each time: removing takes long enough for pods to start.
        inUse: new Set([...refused, ...(await imagesInUse(engine, signal))]),
        kept,
        remembered: (id) => memory.get(id),
        rules,
        now: clock.now(),
      },
      bytes,
    );
  }

  async #remove(image: EngineImage, signal: AbortSignal): Promise<boolean> {
    const { engine, logger } = this.#options;
    try {
      await removeImage(engine, image, signal);
      logger.info({ image: image.names, id: image.id, bytes: image.bytes }, "removed an image");
      return true;
    } catch (error) {
      if (!isEngineError(error) || error.code === "unreachable") throw error;
      logger.warn({ err: error, image: image.names }, "the engine does not remove an image");
      return false;
    }
  }

  async #look(signal: AbortSignal): Promise<EngineImage[]> {
    const { engine, memory, clock } = this.#options;
    const images = await listImages(engine, signal);
    const now = clock.now();
    memory.see(new Set(images.map(({ id }) => id)), now);
    for (const id of await imagesInUse(engine, signal)) memory.used(id, now);
    return images;
  }

  async #measure(signal: AbortSignal): Promise<DiskUse | undefined> {
    const { engine, space } = this.#options;
    return space === undefined ? engineDisk(engine, signal) : imageSpace(engine, space, signal);
  }
}
