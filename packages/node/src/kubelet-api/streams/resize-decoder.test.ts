import fc from "fast-check";
import { expect, it } from "vitest";
import { ResizeDecoder } from "./resize-decoder.ts";

it("reads sizes wherever their bytes are cut", () => {
  const length = fc.integer({ min: 0, max: 65_535 });
  const sizes = fc.array(fc.record({ width: length, height: length }), { maxLength: 5 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 9 }), (sent, step) => {
      const text = sent.map(({ width: Width, height: Height }) =>
        JSON.stringify({ Width, Height }),
      );
      const bytes = Buffer.from(text.join("\n"));
      const decoder = new ResizeDecoder();
      const read = [];
      for (let at = 0; at < bytes.length; at += step)
        read.push(...decoder.push(bytes.subarray(at, at + step)));
      expect(read).toEqual(sent);
    }),
  );
});

it.each([
  '{"Width":-1,"Height":2}',
  '{"Width":1}',
  '{"Width":"1","Height":2}',
  '{"Width":1.5,"Height":2}',
  '{"Width":65536,"Height":2}',
  "}",
  " ".repeat(2000),
])("reads nothing more after %j", (text) => {
  const decoder = new ResizeDecoder();
  expect(decoder.push(Buffer.from(text))).toEqual([]);
  expect(decoder.push(Buffer.from('{"Width":1,"Height":2}'))).toEqual([]);
});

it("throws at nothing", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
      const decoder = new ResizeDecoder();
      for (const chunk of chunks) decoder.push(chunk);
    }),
  );
});
