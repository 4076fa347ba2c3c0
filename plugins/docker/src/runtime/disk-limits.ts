import type { ContainerHandle } from "@interlink/plugin-sdk";
import type { Container } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";
import type { EngineClient } from "../engine/engine-client.ts";
import { isEngineError } from "../engine/engine-error.ts";
import { encodeReference } from "../images/engine-images.ts";
import { ceilQuantity } from "../pods/quantity.ts";

/** How a storage driver takes a limit. */
export type LimitStyle =
  /** Of what the container writes. */
  | "own"
  /** Of that and of its image together. */
  | "with-image"
  | "none";

const STYLES: ReadonlyMap<string, LimitStyle> = new Map([
  ["overlay", "own"],
  ["overlay2", "own"],
  ["btrfs", "with-image"],
  ["zfs", "with-image"],
]);

/** Measuring a layer of very many files takes a while. */
const MEASURE_MS = 5 * 60_000;

/** By the name of the engine's storage driver. */
export function limitStyle(driver: string): LimitStyle {
  return STYLES.get(driver) ?? "none";
}

/** Bytes that the container may write, by its limit of ephemeral storage; `undefined`: as many as it likes. */
export function diskLimit({ resources }: Pick<Container, "resources">): number | undefined {
  const limits: Partial<Record<string, string>> = resources?.limits ?? {};
  const text = limits["ephemeral-storage"];
  const bytes = text === undefined ? 0 : ceilQuantity(text);
  return bytes > 0 ? bytes : undefined;
}

/**
 * Limits on what containers write into their own layers, by the engine's storage driver where it can: on overlay2 that
 * takes a disk of XFS with project quotas, which no engine tells; so it is tried once. Where it cannot, the pod that
 * writes too much is evicted, as under a kubelet.
 */
export class DiskLimits {
  readonly #engine: EngineClient;
  readonly #logger: Logger;
  #style: Promise<LimitStyle> | undefined;
  #wasRefused = false;

  constructor(engine: EngineClient, logger: Logger) {
    this.#engine = engine;
    this.#logger = logger;
  }

  /** Part of the engine's HostConfig. */
  async options(
    container: Container,
    imageID: string,
    signal: AbortSignal,
  ): Promise<{ StorageOpt?: { size: string } }> {
    const limit = diskLimit(container);
    if (limit === undefined || this.#wasRefused) return {};
    const style = await this.#styleOf(signal);
    if (style === "none") return {};
    const image = style === "own" ? 0 : await this.#imageBytes(imageID, signal);
    return { StorageOpt: { size: String(limit + image) } };
  }

  /** Whether a create failed only because the driver takes no limits; from then on it is not given any. */
  isRefusal(error: unknown): boolean {
    // The words of Docker and of Podman: "--storage-opt is supported only for …", "--storage-opt is not supported for …".
    if (!isEngineError(error, "engine", "bad-request") || !/storage-opt/.test(error.message)) {
      return false;
    }
    this.#wasRefused = true;
    this.#logger.info(
      { words: error.message },
      "the engine's storage driver limits no containers: pods that write more than their ephemeral-storage are evicted",
    );
    return true;
  }

  /** As `ContainerRuntime.layerBytes`. */
  async used({ id }: ContainerHandle, signal: AbortSignal): Promise<number | undefined> {
    try {
      const { SizeRw } = await this.#engine.json<{ SizeRw?: number }>({
        method: "GET",
        path: `/containers/${id}/json`,
        query: { size: true },
        signal,
        deadlineMs: MEASURE_MS,
      });
      return SizeRw ?? undefined;
    } catch (error) {
      if (isEngineError(error, "not-found")) return undefined;
      throw error;
    }
  }

  async #styleOf(signal: AbortSignal): Promise<LimitStyle> {
    this.#style ??= this.#engine
      .json<{ Driver?: string }>({ method: "GET", path: "/info", signal })
      .then(({ Driver = "" }) => limitStyle(Driver));
    try {
      return await this.#style;
    } catch (error) {
      this.#style = undefined;
      throw error;
    }
  }

  async #imageBytes(imageID: string, signal: AbortSignal): Promise<number> {
    const { Size = 0 } = await this.#engine.json<{ Size?: number }>({
      method: "GET",
      path: `/images/${encodeReference(imageID)}/json`,
      signal,
    });
    return Size;
  }
}
