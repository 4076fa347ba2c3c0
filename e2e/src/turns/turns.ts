import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a test file takes while it runs. */
export interface Turn {
  /** Things that one file has at a time. */
  readonly things: readonly string[];
  /** How many of the seats; never more than there are. */
  readonly seats: number;
}

/** Those of the waiting who may begin now: nobody before an earlier one that needs the same. */
export function admit<T extends Turn>(
  running: readonly Turn[],
  waiting: readonly T[],
  seats: number,
): T[] {
  const taken = new Set(running.flatMap(({ things }) => things));
  let free = seats - running.reduce((sum, one) => sum + Math.min(one.seats, seats), 0);
  const admitted: T[] = [];
  for (const one of waiting) {
    const needed = Math.min(one.seats, seats);
    // Who needs many seats gets them: those behind do not take each that becomes free.
    if (needed > free) break;
    const mustWait = one.things.some((thing) => taken.has(thing));
    // Kept for who must wait, too: one that needs several would otherwise never find all of them free.
    for (const thing of one.things) taken.add(thing);
    if (mustWait) continue;
    free -= needed;
    admitted.push(one);
  }
  return admitted;
}

interface Guest extends Turn {
  readonly socket: Socket;
}

/**
 * Lets test files run at once, in processes of their own, as far as they do not use the same thing. A turn is a
 * connection and ends with it, so that a process that is killed holds up nobody.
 */
export class Turns implements AsyncDisposable {
  readonly #directory: string;
  readonly #seats: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #running: Guest[] = [];
  #waiting: Guest[] = [];

  /** A run that is interrupted has no time to wait. */
  readonly #removeNow = (): void => rmSync(this.#directory, { recursive: true, force: true });

  private constructor(directory: string, seats: number) {
    this.#directory = directory;
    this.#seats = seats;
    this.#server = createServer((socket) => this.#welcome(socket));
    process.once("exit", this.#removeNow);
  }

  static async open(seats: number): Promise<Turns> {
    const turns = new Turns(await mkdtemp(join(tmpdir(), "interlink-turns-")), seats);
    turns.#server.listen(turns.address);
    await once(turns.#server, "listening");
    return turns;
  }

  /** For {@link takeTurn}. */
  get address(): string {
    return join(this.#directory, "turns.sock");
  }

  #welcome(socket: Socket): void {
    this.#sockets.add(socket);
    let text = "";
    socket.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      if (!text.endsWith("\n")) return;
      this.#waiting.push({ ...(JSON.parse(text) as Turn), socket });
      this.#proceed();
    });
    // A process that dies ends its turn by that: there is nobody to tell.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#sockets.delete(socket);
      const isOther = (guest: Guest): boolean => guest.socket !== socket;
      this.#running = this.#running.filter(isOther);
      this.#waiting = this.#waiting.filter(isOther);
      this.#proceed();
    });
  }

  #proceed(): void {
    const admitted = admit(this.#running, this.#waiting, this.#seats);
    this.#waiting = this.#waiting.filter((guest) => !admitted.includes(guest));
    this.#running.push(...admitted);
    for (const { socket } of admitted) socket.write("go\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    process.off("exit", this.#removeNow);
    await rm(this.#directory, { recursive: true, force: true });
  }
}
