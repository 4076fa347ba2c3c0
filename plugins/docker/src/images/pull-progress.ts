import type { PullProgress } from "@interlink/plugin-sdk";

interface Layer {
  isFetched: boolean;
  /** Received, and to be received, as far as it is known. */
  current: number;
  total: number;
}

/** What a layer's record says when nothing of it is missing any more. */
const FETCHED =
  /^(?:Verifying Checksum|Download complete|Extracting|Pull complete|Already exists)$/;
/** What layers' records say before that. Others are about the image as a whole. */
const TO_FETCH = /^(?:Pulling fs layer|Waiting|Downloading)$/;

/** Adds up the records of one pull (Docker's, and Podman's in Docker's form), layer by layer. */
export class PullTally {
  readonly #layers = new Map<string, Layer>();

  /** Gives how far the pull is, if the record was about a layer. */
  add(record: unknown): PullProgress | undefined {
    const { id, status, progressDetail } = (record ?? {}) as Record<string, unknown>;
    if (typeof id !== "string" || typeof status !== "string") return undefined;
    const isFetched = FETCHED.test(status);
    if (!isFetched && !TO_FETCH.test(status)) return undefined;
    const layer = this.#layers.get(id) ?? { isFetched: false, current: 0, total: 0 };
    this.#layers.set(id, layer);
    // The detail of a layer that is being unpacked is about its unpacking.
    if (status === "Downloading") {
      const { current, total } = (progressDetail ?? {}) as Record<string, unknown>;
      if (typeof current === "number") layer.current = Math.max(layer.current, current);
      if (typeof total === "number" && total > 0) layer.total = total;
    }
    if (isFetched) {
      layer.isFetched = true;
      layer.current = Math.max(layer.current, layer.total);
    }
    return this.#sum();
  }

  #sum(): PullProgress {
    const layers = [...this.#layers.values()];
    const bytes = layers.reduce((sum, { current }) => sum + current, 0);
    return {
      layers: { fetched: layers.filter(({ isFetched }) => isFetched).length, total: layers.length },
      ...(bytes > 0 && { bytes }),
    };
  }
}
