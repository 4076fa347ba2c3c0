import { readFile } from "node:fs/promises";
import { type Clock, ImageError, type ImageRequest, Limit } from "@interlink/plugin-sdk";
import type { Logger } from "pino";
import type { ImageStore } from "./image-store.ts";

const FIRST_DELAY_MS = 10_000;
const LONGEST_DELAY_MS = 5 * 60_000;
/** Between two lines of the log about one pull. */
const NEWS_MS = 30_000;

export interface PrePullOptions {
  images: readonly string[];
  /** A `config.json` of docker with the logins; read for each try, so that it may be renewed. */
  secrets?: string;
  store: Pick<ImageStore, "ensure">;
  clock: Clock;
  /** Between 0 and 1, for the jitter of back-off. */
  random: () => number;
  logger: Logger;
}

/**
 * Makes images present before a pod asks for them, one at a time so that pods' own pulls are not held up. Those that are
 * there are left as they are. What fails is tried again, less and less often, for as long as the plugin runs.
 */
export class PrePull implements AsyncDisposable {
  readonly #options: PrePullOptions;
  readonly #closing = new AbortController();
  readonly #one = new Limit(1);
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: PrePullOptions) {
    this.#options = options;
  }

  /** Nothing of it is waited for. */
  start(): void {
    this.#running = Promise.all(this.#options.images.map((image) => this.#untilPresent(image)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error("The plugin is being stopped."));
    await this.#running;
  }

  /** Never rejects. */
  async #untilPresent(image: string): Promise<void> {
    const { random, logger } = this.#options;
    const { signal } = this.#closing;
    for (let tries = 0; !signal.aborted; tries++) {
      try {
        await this.#one.run(signal, () => this.#ensure(image, signal));
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ImageError && error.code === "InvalidImageName") {
          logger.error({ err: error, image }, "an image cannot be pulled ahead");
          return;
        }
        const delayMs = Math.round(
          Math.min(FIRST_DELAY_MS * 2 ** tries, LONGEST_DELAY_MS) * (0.75 + random() / 4),
        );
        logger.warn(
          { err: error, image, delayMs },
          "an image cannot be pulled ahead; trying again",
        );
        await this.#wait(delayMs);
      }
    }
  }

  async #ensure(image: string, signal: AbortSignal): Promise<void> {
    const { store, secrets, logger } = this.#options;
    const pullSecrets = secrets === undefined ? [] : [await readSecrets(secrets)];
    const { pulled } = await store.ensure(
      {
        uid: "",
        image,
        pullPolicy: "IfNotPresent",
        pullSecrets,
        onPull: this.#news(image),
      },
      signal,
    );
    if (!pulled) logger.info({ image }, "an image to be pulled ahead is there already");
  }

  #news(image: string): NonNullable<ImageRequest["onPull"]> {
    const { logger, clock } = this.#options;
    let told = clock.now();
    return ({ phase, ...step }) => {
      if (phase === "progress") {
        if (clock.now() < told + NEWS_MS) return;
        told = clock.now();
      }
      const words = {
        pulling: "pulling an image ahead",
        progress: "still pulling an image ahead",
        pulled: "pulled an image ahead",
      };
      logger.info({ image, ...step }, words[phase]);
    };
  }

  async #wait(milliseconds: number): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#closing;
    await new Promise<void>((resolve) => {
      const cancel = clock.at(clock.now() + milliseconds, () => {
        signal.removeEventListener("abort", leave);
        resolve();
      });
      const leave = (): void => {
        cancel();
        resolve();
      };
      signal.addEventListener("abort", leave, { once: true });
    });
  }
}

/** Throws a sentence that names the file, and nothing of what it holds. */
async function readSecrets(file: string): Promise<string> {
  const text = await readFile(file, "utf8");
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new Error(
      `The file of registry logins, ${file}, is not JSON: give a config.json of docker.`,
    );
  }
  const { auths, credsStore } = (content ?? {}) as { auths?: unknown; credsStore?: unknown };
  if (auths === undefined && typeof credsStore === "string") {
    throw new Error(
      `The file of registry logins, ${file}, leaves the logins to the program "docker-credential-${credsStore}", which this plugin does not run: give one with "auths".`,
    );
  }
  return text;
}
