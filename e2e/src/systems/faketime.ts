import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The library that lies to programs about the time of day (Debian's `libfaketime`). Throws when there is none. */
export function findFaketime(): { library: string } {
  for (const architecture of existsSync("/usr/lib") ? readdirSync("/usr/lib") : []) {
    const library = join("/usr/lib", architecture, "faketime/libfaketime.so.1");
    if (existsSync(library)) return { library };
  }
  throw new Error("there is no libfaketime (Debian package libfaketime)");
}

/** The time of day of some programs, which a test may set. What measures durations in them is not touched. */
export class FakeClock {
  readonly #file: string;
  readonly #library: string;

  constructor(library: string, directory: string) {
    this.#library = library;
    this.#file = join(directory, "clock");
    this.jump(0);
  }

  /** For programs that are to live by it. */
  get env(): Record<string, string> {
    return {
      LD_PRELOAD: this.#library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  /** So many seconds before or after the time of the machine, from now on. */
  jump(seconds: number): void {
    // Whole at any moment, for it is read at every look at the clock.
    writeFileSync(`${this.#file}.new`, `${seconds < 0 ? "-" : "+"}${Math.abs(seconds)}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }
}
