import { constants, type FileHandle, open } from "node:fs/promises";

/** One record is at most this long; a shorter buffer would make the kernel refuse it. */
const RECORD_SIZE = 8192;
/** Ids kept. A container is asked for soon after its end, and once. */
const KEPT = 10_000;

/**
 * Which containers ran out of memory, by the kernel's own log: it names the control group of each process that it kills
 * for that, and engines put a container's id into the name of its group. For engines that do not tell (Podman before 5.0,
 * whose conmon notes it where Podman does not look). After ten kills within five seconds the kernel names no more.
 */
export class KernelLog implements AsyncDisposable {
  readonly #path: string;
  readonly #unreadable: (error: Error) => void;
  readonly #killed = new Set<string>();
  #file: FileHandle | undefined;
  #refused = false;
  #reading: Promise<void> = Promise.resolve();

  /** `unreadable` is told, once, that nothing can be known: only root may read the log, and only on Linux. */
  constructor(unreadable: (error: Error) => void, path = "/dev/kmsg") {
    this.#unreadable = unreadable;
    this.#path = path;
  }

  /** Whether the kernel has killed a process of this container because its memory was used up. */
  async ranOut(id: string): Promise<boolean> {
    // The kernel writes first and kills then: what the engine calls ended is in the log.
    this.#reading = this.#reading.then(() => this.#read());
    await this.#reading;
    return this.#killed.has(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#refused = true;
    await this.#reading;
    await this.#file?.close();
    this.#file = undefined;
  }

  /** From where the last reading ended. */
  async #read(): Promise<void> {
    if (this.#refused) return;
    try {
      this.#file ??= await open(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
      const buffer = Buffer.alloc(RECORD_SIZE);
      for (;;) {
        const read = await readRecord(this.#file, buffer);
        if (read === 0) return;
        for (const id of containersOutOfMemory(buffer.toString("latin1", 0, read))) this.#note(id);
      }
    } catch (error) {
      this.#refused = true;
      this.#unreadable(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #note(id: string): void {
    this.#killed.add(id);
    const [oldest] = this.#killed;
    if (this.#killed.size > KEPT && oldest !== undefined) this.#killed.delete(oldest);
  }
}

/** Its length, at most the buffer's; 0: there are no more for now. */
async function readRecord(file: FileHandle, buffer: Buffer): Promise<number> {
  for (;;) {
    try {
      return (await file.read(buffer, 0, buffer.length, null)).bytesRead;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EAGAIN") return 0;
      // The record to be read was overwritten: the next reading goes on with the oldest that is left.
      if (code !== "EPIPE") throw error;
    }
  }
}

/** Ids of containers that a text of the kernel's log says had a process killed for want of memory. */
export function containersOutOfMemory(text: string): string[] {
  return [...text.matchAll(/\boom-kill:.*?\btask_memcg=([^,\n]*)/g)].flatMap(
    ([, group = ""]) => group.match(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g) ?? [],
  );
}
