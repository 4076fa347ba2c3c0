import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { writeDurably } from "@interlink/plugin-sdk";
import type { Logger } from "pino";

/** What is remembered of one image in the engine. Times in milliseconds since the epoch. */
export interface RememberedImage {
  /** Whole names under which this plugin has pulled it; none: it was there already, or others brought it. */
  readonly names: readonly string[];
  /** When it was pulled, or first seen. */
  readonly seenAt: number;
  /** When a container last had it, or a pod of this plugin last asked for it. 0: never. */
  readonly usedAt: number;
}

/** What the file holds. */
interface MemoryFile {
  schemaVersion: 1;
  /** By the engine's id. */
  images: Record<string, RememberedImage>;
}

/**
 * Which images this plugin has pulled, and when images were used, over restarts. What is forgotten counts as an image of
 * somebody else: so a file that is lost or damaged, or a crash right after a pull, can only keep images.
 */
export class ImageMemory {
  readonly #file: string;
  readonly #logger: Logger;
  readonly #images: Map<string, RememberedImage>;
  #isChanged = false;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string, logger: Logger, images: Map<string, RememberedImage>) {
    this.#file = file;
    this.#logger = logger;
    this.#images = images;
  }

  static async open(file: string, logger: Logger): Promise<ImageMemory> {
    try {
      return new ImageMemory(file, logger, readMemory(await readFile(file, "utf8")));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
        logger.warn(
          { err: error, file },
          "the record of pulled images cannot be read: those that are there now are not removed to make room",
        );
      }
      return new ImageMemory(file, logger, new Map());
    }
  }

  get(id: string): RememberedImage | undefined {
    return this.#images.get(id);
  }

  /** This plugin has pulled it under this whole name. On disk when it resolves, if that can be; never rejects. */
  async pulled(id: string, name: string, now: number): Promise<void> {
    const before = this.#images.get(id);
    const names = [...new Set([...(before?.names ?? []), name])];
    this.#set(id, { names, seenAt: now, usedAt: now });
    await this.save();
  }

  /** It is needed now. */
  used(id: string, now: number): void {
    const before = this.#images.get(id) ?? { names: [], seenAt: now };
    this.#set(id, { ...before, usedAt: now });
  }

  /** The engine has these images and no others. */
  see(ids: ReadonlySet<string>, now: number): void {
    for (const id of this.#images.keys()) {
      if (!ids.has(id)) this.#isChanged = this.#images.delete(id);
    }
    for (const id of ids) {
      if (!this.#images.has(id)) this.#set(id, { names: [], seenAt: now, usedAt: 0 });
    }
  }

  /** Writes down what has changed. Never rejects: without it, at worst, images stay that could go. */
  async save(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    await this.#writing;
  }

  #set(id: string, image: RememberedImage): void {
    this.#images.set(id, image);
    this.#isChanged = true;
  }

  async #write(): Promise<void> {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    const content: MemoryFile = { schemaVersion: 1, images: Object.fromEntries(this.#images) };
    try {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
      await writeDurably(this.#file, `${JSON.stringify(content)}\n`);
    } catch (error) {
      this.#isChanged = true;
      this.#logger.warn({ err: error }, "the record of pulled images cannot be written");
    }
  }
}

function readMemory(text: string): Map<string, RememberedImage> {
  const { schemaVersion, images } = JSON.parse(text) as Partial<MemoryFile>;
  if (schemaVersion !== 1 || typeof images !== "object" || images === null) {
    throw new Error("it is of an unknown form");
  }
  return new Map(
    Object.entries(images).filter(
      ([, { names, seenAt, usedAt }]) =>
        Array.isArray(names) && Number.isFinite(seenAt) && Number.isFinite(usedAt),
    ),
  );
}
