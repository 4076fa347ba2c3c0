import type { Logger } from "pino";
import type { Storage } from "../storage/storage.ts";
import type { EventRecorder } from "./event-recorder.ts";

/** A loop that makes what is into what should be. */
export interface Controller {
  /** Looks at everything that is there, then follows the changes. */
  start(): void;
  /** Handles what is due, now; for a start that leaves nothing half done. */
  flush?(): void;
  stop(): void;
}

export interface ControllerParts {
  readonly storage: Storage;
  readonly events: EventRecorder;
  readonly logger: Logger;
}

/** Several subscriptions and timers with one end. */
export class Lifetime {
  readonly #ends: (() => void)[] = [];

  add(end: () => void): void {
    this.#ends.push(end);
  }

  every(milliseconds: number, action: () => void): void {
    const timer = setInterval(action, milliseconds);
    this.add(() => clearInterval(timer));
  }

  end(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}
