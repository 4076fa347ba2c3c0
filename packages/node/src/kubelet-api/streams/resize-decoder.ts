import type { TerminalSize } from "@interlink/protocol";

/** No size takes more; what is longer is none. */
const MAX_BYTES = 1024;

/**
 * Reads terminal sizes as clients send them: JSON objects `{"Width":80,"Height":24}`, one after the other, cut anywhere.
 * After something that is none, nothing more is read, as a kubelet does.
 */
export class ResizeDecoder {
  #text = "";
  #broken = false;

  push(chunk: Uint8Array): TerminalSize[] {
    if (this.#broken) return [];
    this.#text += Buffer.from(chunk).toString("latin1");
    const sizes: TerminalSize[] = [];
    for (let end = this.#text.indexOf("}"); end >= 0; end = this.#text.indexOf("}")) {
      const size = sizeOf(this.#text.slice(0, end + 1));
      this.#text = this.#text.slice(end + 1);
      if (size === undefined) {
        this.#broken = true;
        return sizes;
      }
      sizes.push(size);
    }
    this.#broken = this.#text.length > MAX_BYTES;
    return sizes;
  }
}

function sizeOf(text: string): TerminalSize | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { Width: width, Height: height } = value as { Width?: unknown; Height?: unknown };
  return isLength(width) && isLength(height) ? { width, height } : undefined;
}

function isLength(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 65_535;
}
