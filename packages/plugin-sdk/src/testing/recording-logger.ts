import { Writable } from "node:stream";
import type { Logger } from "pino";
import { pino } from "pino";

/** A logger that keeps its lines, parsed. */
export function recordingLogger(): { logger: Logger; lines: { level: number; msg: string }[] } {
  const lines: { level: number; msg: string }[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as { level: number; msg: string });
      done();
    },
  });
  return { logger: pino({ level: "debug" }, stream), lines };
}

/** Says nothing. */
export const silentLogger: Logger = pino({ level: "silent" });
