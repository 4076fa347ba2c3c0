import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineSplitter } from "./line-splitter.ts";

const line = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", "␤"));

describe("LineSplitter", () => {
  it("gives the same lines however the bytes are cut into chunks", () => {
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(40)), fc.boolean(), (lines, cuts, open) => {
        const text = lines.join("\n") + (open ? "" : "\n");
        const bytes = Buffer.from(text);
        const splitter = new LineSplitter();
        const seen: string[] = [];
        let from = 0;
        for (const size of [...cuts, bytes.length]) {
          seen.push(...splitter.push(bytes.subarray(from, from + size)));
          from += size;
        }
        seen.push(splitter.end());
        expect(seen.filter((one) => one !== "")).toEqual(lines.filter((one) => one !== ""));
      }),
    );
  });

  it("refuses a line longer than its limit instead of keeping it", () => {
    const splitter = new LineSplitter(10);
    expect(() => splitter.push(Buffer.from("12345678901"))).toThrow(/longer than 10 bytes/);
  });

  it("joins a long line that comes in many small chunks", () => {
    const splitter = new LineSplitter();
    const chunk = Buffer.alloc(16, 0x61);
    const early = Array.from({ length: 100_000 }, () => splitter.push(chunk).length);
    expect(early.every((lines) => lines === 0)).toBe(true);
    expect(splitter.push(Buffer.from("\n"))[0]).toHaveLength(1_600_000);
  });
});
