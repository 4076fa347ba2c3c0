import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { processLives } from "./process-lives.ts";
import { waitUntil } from "./wait-until.ts";

/** Name of the user that a person's `npm run systems -- up` registers: it stays until `down`. */
export const KEEP = "keep";

/**
 * Who uses a system that was started by us, so that the last one stops it: one file each, named by pid.
 * Users whose process is gone do not count.
 */
export class Users {
  readonly #folder: string;
  readonly #lock: string;

  constructor(folder: string) {
    this.#folder = join(folder, "users");
    this.#lock = join(folder, "lock");
    mkdirSync(this.#folder, { recursive: true });
  }

  add(user: string): void {
    writeFileSync(join(this.#folder, user), "");
  }

  remove(user: string): void {
    rmSync(join(this.#folder, user), { force: true });
  }

  clear(): void {
    for (const user of readdirSync(this.#folder)) this.remove(user);
  }

  /** Users that are alive; forgets the others. */
  list(): string[] {
    const users = readdirSync(this.#folder);
    for (const user of users) if (user !== KEEP && !processLives(Number(user))) this.remove(user);
    return users.filter((user) => user === KEEP || processLives(Number(user)));
  }

  /** Runs `act` while no other process starts or stops this system. */
  async exclusively<T>(act: () => Promise<T>): Promise<T> {
    await waitUntil(
      `no other process starts or stops the real systems (${this.#lock})`,
      () => {
        try {
          writeFileSync(this.#lock, String(process.pid), { flag: "wx" });
          return true;
        } catch {
          const holder = Number(readFileSync(this.#lock, "utf8"));
          if (holder > 0 && !processLives(holder)) rmSync(this.#lock, { force: true });
          return false;
        }
      },
      180_000,
    );
    try {
      return await act();
    } finally {
      rmSync(this.#lock, { force: true });
    }
  }
}
