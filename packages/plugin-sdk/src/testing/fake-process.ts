import { PassThrough, type Readable } from "node:stream";
import type { ProcessEnd, ProcessStreams, TerminalSize } from "@interlink/protocol";

/** A process whose every byte a test moves. */
export class FakeProcess implements ProcessStreams {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly sizes: TerminalSize[] = [];
  readonly ended: Promise<ProcessEnd>;
  /** Resolves when it was let go. */
  readonly whenClosed: Promise<void>;
  close: () => void = () => undefined;
  #end: (end: ProcessEnd) => void = () => undefined;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.whenClosed = new Promise((resolve) => {
      this.close = () => {
        resolve();
        this.#end({ error: "the streams were closed" });
      };
    });
  }

  resize(size: TerminalSize): void {
    this.sizes.push(size);
  }

  /** Ends the outputs and tells how. */
  exit(exitCode: number): void {
    this.stdout.end();
    this.stderr.end();
    this.#end({ exitCode });
  }
}

/** All of it as text. Unlike iteration, this leaves the other direction of a connection alone. */
export async function textOf(stream: Readable | undefined): Promise<string> {
  return (await bytesOf(stream)).toString();
}

export function bytesOf(stream: Readable | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    if (stream === undefined) return resolve(Buffer.alloc(0));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("end", () => resolve(Buffer.concat(chunks)));
    stream.once("error", reject);
  });
}
