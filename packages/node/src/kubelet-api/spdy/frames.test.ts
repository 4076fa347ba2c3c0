import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeFrame, type Frame, FrameReader, SpdyError } from "./frames.ts";
import { decodeHeaders, encodeHeaders } from "./header-block.ts";

const streamId = fc.integer({ min: 0, max: 0x7fff_ffff });
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const withBlock = (type: "syn-stream" | "syn-reply" | "headers") =>
  fc.record({ type: fc.constant(type), streamId, fin: fc.boolean(), headerBlock: bytes });
const number = fc.integer({ min: 0, max: 0xffff_ffff });
const frames: fc.Arbitrary<Frame[]> = fc.array(
  fc.oneof(
    withBlock("syn-stream"),
    withBlock("syn-reply"),
    withBlock("headers"),
    fc.record({ type: fc.constant("rst-stream" as const), streamId, status: number }),
    fc.record({ type: fc.constant("ping" as const), id: number }),
    fc.record({ type: fc.constant("go-away" as const), lastStreamId: streamId }),
    fc.record({ type: fc.constant("data" as const), streamId, fin: fc.boolean(), bytes }),
  ),
  { maxLength: 8 },
);

/** Cuts bytes at any places. */
function pieces(all: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map((cut) => cut % (all.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, index) => all.subarray(from, at[index] ?? all.length));
}

/** Data frames come in parts; put together they are the frames that were sent. */
function joined(read: readonly Frame[]): Frame[] {
  const out: Frame[] = [];
  let open: Extract<Frame, { type: "data" }> | undefined;
  for (const frame of read) {
    if (frame.type !== "data") out.push(frame);
    else if (open !== undefined) {
      open.bytes = Buffer.concat([open.bytes, frame.bytes]);
      open.fin = frame.fin;
    } else out.push({ ...frame });
    const last = out.at(-1);
    open = undefined;
    if (frame.type === "data" && last?.type === "data" && last.bytes.length < lengthOf(last))
      open = last;
  }
  return out;
}
let lengths: number[] = [];
const lengthOf = (frame: Extract<Frame, { type: "data" }>): number =>
  lengths[frame.streamId] ?? frame.bytes.length;

describe("FrameReader", () => {
  it("reads what was written, wherever the bytes are cut", () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 6 }), (sent, cuts) => {
        // Data frames are told apart by stream ids of their own.
        const distinct = sent.map((frame, index) =>
          frame.type === "data" ? { ...frame, streamId: index } : frame,
        );
        lengths = distinct.map((frame) => (frame.type === "data" ? frame.bytes.length : 0));
        const reader = new FrameReader(1000);
        const all = Buffer.concat(distinct.map(encodeFrame));
        const read = pieces(all, cuts).flatMap((piece) => [...reader.read(piece)]);
        expect(joined(read)).toEqual(distinct);
      }),
    );
  });

  it("gives frames or a SpdyError for any bytes at all", () => {
    const looksRight = fc.uint8Array({ maxLength: 60 }).map((array) => {
      const all = Buffer.from(array);
      if (all.length >= 8) all.set([0x80, 3, 0, (all[3] ?? 0) % 12, 0, 0, 0]);
      return all;
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(bytes, looksRight), { maxLength: 6 }), (chunks) => {
        const reader = new FrameReader(200);
        try {
          for (const chunk of chunks) for (const frame of reader.read(chunk)) void frame;
        } catch (error) {
          expect(error).toBeInstanceOf(SpdyError);
        }
      }),
    );
  });

  it("does not wait for a control frame that is too long", () => {
    const head = Buffer.from([0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff]);
    expect(() => [...new FrameReader(1000).read(head)]).toThrow(SpdyError);
  });

  it("hands on a long data frame without collecting it", () => {
    const reader = new FrameReader(1000);
    const head = Buffer.from([0, 0, 0, 1, 1, 0xff, 0xff, 0xff]);
    expect([...reader.read(Buffer.concat([head, Buffer.from("abc")]))]).toEqual([
      { type: "data", streamId: 1, fin: false, bytes: Buffer.from("abc") },
    ]);
  });

  it("passes over SETTINGS and WINDOW_UPDATE", () => {
    const settings = Buffer.from([0x80, 3, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0]);
    const windowUpdate = Buffer.from([0x80, 3, 0, 9, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 1, 0]);
    const ping: Frame = { type: "ping", id: 7 };
    const all = Buffer.concat([settings, windowUpdate, encodeFrame(ping)]);
    expect([...new FrameReader(1000).read(all)]).toEqual([ping]);
  });
});

describe("header blocks", () => {
  it("are read as they were written", () => {
    const name = fc.stringMatching(/^[a-z][a-z-]{0,8}$/);
    const value = fc.string({ maxLength: 20 }).filter((text) => !text.includes("\0"));
    const headers = fc
      .uniqueArray(fc.tuple(name, fc.array(value, { minLength: 1, maxLength: 3 })), {
        selector: ([key]) => key,
      })
      .map((pairs) => new Map(pairs));
    fc.assert(
      fc.property(headers, (map) => {
        expect(decodeHeaders(encodeHeaders(map))).toEqual(map);
      }),
    );
  });

  it("that are cut short or have a name twice are refused, whatever they hold", () => {
    fc.assert(
      fc.property(bytes, (block) => {
        try {
          decodeHeaders(block);
        } catch (error) {
          expect(error).toBeInstanceOf(SpdyError);
        }
      }),
    );
    const twice = Buffer.concat([
      Buffer.from([0, 0, 0, 2]),
      ...[0, 1].map(() => Buffer.from([0, 0, 0, 1, 0x61, 0, 0, 0, 0])),
    ]);
    expect(() => decodeHeaders(twice)).toThrow("twice");
  });
});
