import { setTimeout as delay } from "node:timers/promises";
import type { TerminalSize } from "@interlink/protocol";
import type { EngineClient } from "../engine/engine-client.ts";

const TRIES = 20;
const INTERVAL_MS = 50;

/**
 * Tells the engine the size of a terminal: one call at a time, and of several sizes only the newest. The engine hands over
 * a connection a moment before the process runs whose terminal it is, so a refusal is not final.
 */
export class TerminalResizer {
  readonly #engine: Pick<EngineClient, "json">;
  readonly #path: string;
  readonly #over: AbortSignal;
  readonly #failed: (error: unknown) => void;
  #wanted: TerminalSize | undefined;
  #sending = false;

  /**
   * `path` of the container or exec whose terminal it is; `over` fires when that has ended. `failed` hears of a size that
   * could not be set while the terminal was there.
   */
  constructor(
    engine: Pick<EngineClient, "json">,
    path: string,
    over: AbortSignal,
    failed: (error: unknown) => void,
  ) {
    this.#engine = engine;
    this.#path = path;
    this.#over = over;
    this.#failed = failed;
  }

  resize(size: TerminalSize): void {
    this.#wanted = size;
    if (this.#sending) return;
    this.#sending = true;
    this.#sendAll().catch((error: unknown) => {
      if (!this.#over.aborted) this.#failed(error);
    });
  }

  async #send({ width, height }: TerminalSize): Promise<void> {
    await this.#engine.json({
      method: "POST",
      path: `${this.#path}/resize`,
      query: { w: width, h: height },
      signal: this.#over,
    });
  }

  async #sendAll(): Promise<void> {
    let tries = 1;
    try {
      while (this.#wanted !== undefined) {
        const size = this.#wanted;
        try {
          await this.#send(size);
          tries = 1;
          if (this.#wanted === size) this.#wanted = undefined;
        } catch (error) {
          if (this.#over.aborted || tries >= TRIES) throw error;
          tries++;
          await delay(INTERVAL_MS, undefined, { signal: this.#over });
        }
      }
    } finally {
      this.#wanted = undefined;
      this.#sending = false;
    }
  }
}
