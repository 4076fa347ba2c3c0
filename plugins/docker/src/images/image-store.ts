import {
  ImageError,
  type ImageRequest,
  type ImageState,
  type PullProgress,
} from "@interlink/plugin-sdk";
import type { EngineClient } from "../engine/engine-client.ts";
import { EngineError, isEngineError } from "../engine/engine-error.ts";
import { credentialsFor, type RegistryCredentials } from "./credentials.ts";
import { encodeReference, listImages, wholeId } from "./engine-images.ts";
import type { ImageMemory } from "./image-memory.ts";
import { pullImage } from "./pull.ts";
import { type ImageReference, parseReference, showReference } from "./reference.ts";
import { SharedWork } from "./shared-work.ts";

/** Part of the engine's image inspection. */
interface ImageInspection {
  Id: string;
  RepoDigests?: string[] | null;
  Size?: number;
  Config?: { User?: string; Healthcheck?: { Test?: string[] | null } | null } | null;
}

/** What containers take over from their image, and a pod may want otherwise. */
export interface ImageDefaults {
  /** `""`, `name`, `1000` or `1000:1000`. */
  user: string;
  hasHealthcheck: boolean;
}

/** What a pull brought, and how long it took. */
interface Pulled {
  milliseconds: number;
  /** Absent: it was removed right away. */
  image: ImageInspection | undefined;
}

export interface ImageStoreOptions {
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Where pulls and uses are noted. */
  memory?: () => ImageMemory | undefined;
  /** Told when a pull failed for want of room. */
  onDiskFull?: () => void;
}

/** Makes images present by pull policy. Callers that pull the same image with the same credentials share one pull. */
export class ImageStore {
  readonly #engine: EngineClient;
  readonly #options: ImageStoreOptions;
  readonly #pulls = new SharedWork<Pulled, PullProgress>();

  constructor(engine: EngineClient, options: ImageStoreOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /** As `ContainerRuntime.ensureImage`. */
  async ensure(request: ImageRequest, signal: AbortSignal): Promise<ImageState> {
    const reference = parseReference(request.image);
    if (reference === undefined) {
      throw new ImageError(
        "InvalidImageName",
        `Failed to apply default image tag "${request.image}": couldn't parse image name "${request.image}": invalid reference format`,
      );
    }
    if (request.pullPolicy !== "Always") {
      const present = await this.#inspect(reference, signal);
      if (present !== undefined) {
        this.#options.memory?.()?.used(wholeId(present.Id), this.#options.now());
        return { imageID: imageID(present, reference), pulled: false };
      }
      if (request.pullPolicy === "Never") {
        throw new ImageError(
          "ErrImageNeverPull",
          `Container image "${request.image}" is not present with pull policy of Never`,
        );
      }
    }
    request.onPull?.({ phase: "pulling" });
    const { milliseconds, image } = await this.#pull(reference, request, signal);
    if (image === undefined) {
      throw new ImageError(
        "ErrImagePull",
        `Image "${request.image}" was pulled, but the engine does not have it any more.`,
      );
    }
    request.onPull?.({
      phase: "pulled",
      milliseconds,
      ...(image.Size !== undefined && { bytes: image.Size }),
    });
    return { imageID: imageID(image, reference), pulled: true };
  }

  async defaults(id: string, signal: AbortSignal): Promise<ImageDefaults> {
    const image = await this.#engine.json<ImageInspection>({
      method: "GET",
      path: `/images/${encodeReference(id)}/json`,
      signal,
    });
    return {
      user: image.Config?.User ?? "",
      hasHealthcheck: (image.Config?.Healthcheck?.Test ?? []).length > 0,
    };
  }

  async #inspect(
    reference: ImageReference,
    signal: AbortSignal,
  ): Promise<ImageInspection | undefined> {
    try {
      return await this.#engine.json<ImageInspection>({
        method: "GET",
        path: `/images/${encodeReference(showReference(reference))}/json`,
        signal,
      });
    } catch (error) {
      if (isEngineError(error, "not-found")) return undefined;
      if (!isEngineError(error) || error.code === "unreachable") throw error;
      throw new ImageError(
        "ImageInspectError",
        `Failed to inspect image "${showReference(reference)}": ${error.message}`,
        { cause: error },
      );
    }
  }

  async #pull(
    reference: ImageReference,
    { pullSecrets, onPull }: Pick<ImageRequest, "pullSecrets" | "onPull">,
    signal: AbortSignal,
  ): Promise<Pulled> {
    const credentials = credentialsFor(reference, pullSecrets);
    // Without credentials one anonymous try; with them only these, as a kubelet does.
    const tries = credentials.length > 0 ? credentials : [undefined];
    let failure: unknown;
    for (const one of tries) {
      // The key holds the credentials, so that nobody rides on another pod's right to pull.
      const key = JSON.stringify([showReference(reference), one]);
      try {
        return await this.#pulls.do(
          key,
          signal,
          (shared, tell) => this.#pullOnce(reference, one, tell, shared),
          (progress) => onPull?.({ phase: "progress", ...progress }),
        );
      } catch (error) {
        if (signal.aborted || isEngineError(error, "unreachable")) throw error;
        failure = error;
      }
    }
    if (isEngineError(failure) && NO_ROOM.test(failure.message)) this.#options.onDiskFull?.();
    throw pullError(failure);
  }

  /** Only what was not there before was brought by this plugin. */
  async #pullOnce(
    reference: ImageReference,
    credentials: RegistryCredentials | undefined,
    tell: (progress: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<Pulled> {
    const { now } = this.#options;
    const memory = this.#options.memory?.();
    const before = memory && new Set((await listImages(this.#engine, signal)).map(({ id }) => id));
    const started = now();
    await pullImage(this.#engine, reference, credentials, tell, signal);
    const milliseconds = now() - started;
    const image = await this.#inspect(reference, signal);
    if (image !== undefined) {
      const id = wholeId(image.Id);
      const isOwn = (memory?.get(id)?.names ?? []).length > 0;
      if (isOwn || before?.has(id) === false) {
        await memory?.pulled(id, showReference(reference), now());
      } else memory?.used(id, now());
    }
    return { milliseconds, image };
  }
}

/** Words of engines, which are the kernel's. */
const NO_ROOM = /no space left on device|disk quota exceeded/i;

/** Words of engines for "the registry did not answer", as against "it answered no". */
const UNAVAILABLE =
  /dial tcp|connection refused|no such host|i\/o timeout|handshake timeout|network is unreachable|no route to host|Client\.Timeout|server misbehaving|unexpected (?:HTTP )?status(?: code)?:? 5\d\d|unexpected EOF|: EOF$/i;

/** Exported for its table of cases. */
export function pullError(failure: unknown): ImageError {
  const words = failure instanceof Error ? failure.message : String(failure);
  return new ImageError(UNAVAILABLE.test(words) ? "RegistryUnavailable" : "ErrImagePull", words, {
    cause: failure instanceof EngineError ? failure : undefined,
  });
}

/** `repo@digest` under the name that was asked for, else the engine's id (images that never were in a registry). */
function imageID(image: ImageInspection, { domain, path }: ImageReference): string {
  for (const text of image.RepoDigests ?? []) {
    const found = parseReference(text);
    if (found?.digest !== undefined && found.domain === domain && found.path === path) {
      return showReference(found);
    }
  }
  return image.Id;
}
