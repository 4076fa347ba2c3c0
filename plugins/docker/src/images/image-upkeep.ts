import type { Clock } from "@interlink/plugin-sdk";
import type { Logger } from "pino";
import type { EngineClient } from "../engine/engine-client.ts";
import { ceilQuantity } from "../pods/quantity.ts";
import { ImageCollector } from "./image-collector.ts";
import { ImageMemory } from "./image-memory.ts";
import { collectionRules, type ImageSettings } from "./image-settings.ts";
import { ImageStore } from "./image-store.ts";
import { PrePull } from "./pre-pull.ts";
import { parseReference, showReference } from "./reference.ts";

export interface ImageUpkeepOptions {
  engine: EngineClient;
  settings: ImageSettings;
  /** Where it is remembered which images were pulled; without it none is ever removed. */
  file?: string;
  clock: Clock;
  /** Between 0 and 1, for the jitter of back-off. */
  random: () => number;
  logger: Logger;
}

/** The images of one engine: pulls for pods, pulls ahead, and the removal of what has long been unused. */
export class ImageUpkeep implements AsyncDisposable {
  readonly store: ImageStore;
  readonly #options: ImageUpkeepOptions;
  #memory: ImageMemory | undefined;
  #prePull: PrePull | undefined;
  #collector: ImageCollector | undefined;

  constructor(options: ImageUpkeepOptions) {
    this.#options = options;
    const { engine, clock } = options;
    this.store = new ImageStore(engine, {
      now: () => clock.now(),
      memory: () => this.#memory,
      onDiskFull: () => this.#collector?.soon(),
    });
  }

  /** Begins what goes on in the background. `sandboxImages`: names or repositories that are never removed. */
  async start(sandboxImages: readonly string[]): Promise<void> {
    const { engine, settings, file, clock, random, logger } = this.#options;
    const { prePull = [], prePullSecrets: secrets, garbageCollection = {} } = settings;
    if (file !== undefined) this.#memory = await ImageMemory.open(file, logger);
    if (this.#memory !== undefined && garbageCollection !== false) {
      const { space } = garbageCollection;
      this.#collector = new ImageCollector({
        engine,
        memory: this.#memory,
        rules: collectionRules(garbageCollection),
        ...(space !== undefined && { space: ceilQuantity(space) }),
        kept: [...prePull.map(wholeName), ...sandboxImages, ...sandboxImages.map(wholeName)],
        clock,
        logger,
      });
      this.#collector.start();
    }
    this.#prePull = new PrePull({
      images: prePull,
      ...(secrets !== undefined && { secrets }),
      store: this.store,
      clock,
      random,
      logger,
    });
    this.#prePull.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#prePull?.[Symbol.asyncDispose]();
    await this.#collector?.[Symbol.asyncDispose]();
    await this.#memory?.save();
  }
}

/** What is no name, such as an id or a repository, stands for itself. */
function wholeName(text: string): string {
  const reference = parseReference(text);
  return reference === undefined ? text : showReference(reference);
}
