import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { headerDictionary } from "./dictionary.ts";
import { SpdyError } from "./frames.ts";
import { HeaderInflater, HeaderStorer } from "./header-compression.ts";

let inflater: HeaderInflater;
beforeEach(() => {
  inflater = new HeaderInflater(100_000);
});
afterEach(() => inflater.close());

it("what is stored is a zlib stream that the dictionary opens, block by block", async () => {
  const blocks = fc.array(fc.uint8Array({ maxLength: 40_000 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(blocks, async (all) => {
      const one = new HeaderInflater(100_000);
      const storer = new HeaderStorer();
      for (const block of all) {
        const bytes = Buffer.from(block);
        expect((await one.inflate(storer.store(bytes))).equals(bytes)).toBe(true);
      }
      one.close();
    }),
    { numRuns: 30 },
  );
});

it("a block that inflates beyond all bounds is refused", async () => {
  const bomb = deflateSync(Buffer.alloc(50_000_000), { dictionary: headerDictionary() });
  expect(bomb.length).toBeLessThan(64 * 1024);
  await expect(inflater.inflate(bomb)).rejects.toThrow(SpdyError);
});

it("what is not zlib, or names another dictionary, is refused", async () => {
  await expect(inflater.inflate(Buffer.from("hello"))).rejects.toThrow(SpdyError);
  const other = new HeaderInflater(1000);
  const foreign = deflateSync("x", { dictionary: Buffer.from("another") });
  await expect(other.inflate(foreign)).rejects.toThrow(SpdyError);
  other.close();
});

it("answers, with an error or nothing, when the peer ended the stream and goes on", async () => {
  const ended = deflateSync("last", { dictionary: headerDictionary() });
  expect((await inflater.inflate(ended)).toString()).toBe("last");
  const after = await inflater.inflate(Buffer.from("more")).catch((error: unknown) => error);
  expect(after instanceof SpdyError || (after as Buffer).length === 0).toBe(true);
});

it("rejects after it was closed", async () => {
  inflater.close();
  await expect(inflater.inflate(Buffer.from("x"))).rejects.toThrow(SpdyError);
});
