import type { Readable, Writable } from "node:stream";
import type { ProcessEnd } from "@interlink/protocol";

/** A client's end of an exec or attach, however it is connected. What it did not ask for is not there. */
export interface CommandChannels {
  /** Ends when the client has no more input. */
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** Bytes for a ResizeDecoder. */
  readonly resize: Readable | undefined;
  /** Tells how the process ended and closes; after the last byte of output was taken. */
  finish(end: ProcessEnd): Promise<void>;
  /** Settles when the client is gone; never rejects. */
  readonly closed: Promise<unknown>;
  destroy(): void;
}
