import { PassThrough } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { consoleInput, endFrame, inputFrames, sizeFrame } from "./console.ts";

/** As `console.pl` reads them. */
function parsed(bytes: Buffer): { type: number; data: Buffer }[] {
  const frames: { type: number; data: Buffer }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt16BE(at + 1);
    frames.push({ type: bytes.readUInt8(at), data: bytes.subarray(at + 3, at + 3 + length) });
    at += 3 + length;
  }
  return frames;
}

describe("the frames of a console", () => {
  test("carry any input, none larger than what a pipe takes in one go", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), (input) => {
        const frames = inputFrames(input);
        for (const frame of frames) expect(frame.length).toBeLessThanOrEqual(4096);
        const read = parsed(Buffer.concat(frames));
        expect(read.every(({ type }) => type === 0)).toBe(true);
        expect(Buffer.concat(read.map(({ data }) => data)).equals(Buffer.from(input))).toBe(true);
      }),
    );
  });

  test("say how large a terminal is", () => {
    expect([...sizeFrame({ width: 300, height: 24 })]).toEqual([2, 0, 4, 0, 24, 1, 44]);
  });

  test("are written one at a time, with the end only where it is wanted", async () => {
    for (const end of [endFrame(), undefined]) {
      const pipe = new PassThrough();
      const input = consoleInput(pipe, end);
      input.end("x".repeat(10_000));
      await new Promise((resolve) => input.once("finish", resolve));
      const types = parsed(pipe.read() as Buffer).map(({ type }) => type);
      expect(types).toEqual(end === undefined ? [0, 0, 0] : [0, 0, 0, 1]);
    }
  });
});
