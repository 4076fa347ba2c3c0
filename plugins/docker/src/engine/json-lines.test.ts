import fc from "fast-check";
import { expect, it } from "vitest";
import { jsonLines } from "./json-lines.ts";

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

it("gives back the records, wherever the stream is cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.string(), fc.record({ a: fc.string({ unit: "binary" }) }))),
      fc.array(fc.integer({ min: 1, max: 9 })),
      fc.constantFrom("\n", "\r\n"),
      async (records, sizes, end) => {
        const text = records.map((record) => JSON.stringify(record)).join(end);
        const read: unknown[] = [];
        for await (const record of jsonLines(cut(Buffer.from(text), sizes))) read.push(record);
        expect(read).toEqual(records);
      },
    ),
  );
});

it("refuses a line without end", async () => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield Buffer.alloc(1024 * 1024, "x");
  }
  await expect(jsonLines(endless()).next()).rejects.toThrow("too long");
});
