import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { TerminalSize } from "@interlink/protocol";

/** How `console.pl` sits in front of a command. */
export type ConsoleMode = "tty" | "pipe";

const TYPE = { input: 0, end: 1, size: 2 } as const;
const HEADER_BYTES = 3;
/** PIPE_BUF: a frame of this size goes into a pipe in one go, so several may write to the same one. */
const MAX_FRAME_BYTES = 4096;

/** Absolute path of the script that holds terminals and inputs; its first lines tell how. Needs perl (`perl-base`). */
export function consoleScriptPath(): string {
  return fileURLToPath(new URL("../../runner/console.pl", import.meta.url));
}

/** Words in front of a command that give it a terminal or an input. `script`: path of `console.pl`. */
export function consoleWords(
  perl: string,
  script: string,
  mode: ConsoleMode,
  size?: TerminalSize,
): string[] {
  const word = mode === "tty" && size ? `tty:${size.height}:${size.width}` : mode;
  return [perl, script, word];
}

/** The frames that carry this input. */
export function inputFrames(data: Uint8Array): Buffer[] {
  const frames: Buffer[] = [];
  const room = MAX_FRAME_BYTES - HEADER_BYTES;
  for (let at = 0; at < data.length; at += room) {
    frames.push(frame(TYPE.input, data.subarray(at, at + room)));
  }
  return frames;
}

/** The frame that ends the input. */
export function endFrame(): Buffer {
  return frame(TYPE.end, Buffer.alloc(0));
}

/** The frame that gives the terminal another size, in characters. */
export function sizeFrame({ width, height }: TerminalSize): Buffer {
  const data = Buffer.alloc(4);
  data.writeUInt16BE(height & 0xffff, 0);
  data.writeUInt16BE(width & 0xffff, 2);
  return frame(TYPE.size, data);
}

function frame(type: number, data: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = type;
  header.writeUInt16BE(data.length, 1);
  return Buffer.concat([header, data]);
}

/**
 * The command's input, as frames on `pipe`, one at a time. Ending it sends `end`, if there is one; the pipe stays open.
 * What the command no longer takes is dropped.
 */
export function consoleInput(pipe: Writable, end: Buffer | undefined): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const frames = inputFrames(chunk).values();
      const next = (): void => {
        const { value, done: isOver } = frames.next();
        if (isOver === true || pipe.destroyed) done();
        else pipe.write(value, next);
      };
      next();
    },
    final(done) {
      if (end === undefined || pipe.destroyed) done();
      else pipe.write(end, () => done());
    },
  });
}
