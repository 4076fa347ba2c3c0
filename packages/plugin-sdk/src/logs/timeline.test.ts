import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "../testing/temporary-directory.ts";
import type { TimelineEntry } from "./timeline.ts";
import { decodeEntries, ENTRY_BYTES, encodeEntry, TimelineReader } from "./timeline.ts";

test("an entry has a fixed length and reads back", () => {
  const entry = { offset: 123_456, milliseconds: 1_767_225_600_123 };
  expect(encodeEntry(entry)).toBe("000000000123456 01767225600123\n");
  expect(encodeEntry(entry)).toHaveLength(ENTRY_BYTES);
  expect(decodeEntries(Buffer.from(`${encodeEntry(entry)}0000`))).toEqual([entry]);
});

describe("looking up the time of a byte", () => {
  test("gives the first entry behind it, in timelines of any length and in any order of asking", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "log.times");
    const steps = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 60 });
    // Repeating the steps makes timelines of several blocks.
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(200), fc.array(fc.nat(1e6)), async (some, times, asked) => {
        const all = Array.from({ length: times }, () => some).flat();
        let offset = 0;
        const entries: TimelineEntry[] = all.map((step, index) => {
          offset += step;
          return { offset, milliseconds: 1000 + index };
        });
        await writeFile(path, entries.map(encodeEntry).join(""));
        await using reader = await TimelineReader.open(path);
        for (const one of asked) {
          const at = offset === 0 ? one : one % (offset + 2);
          const expected = entries.find((entry) => entry.offset > at)?.milliseconds;
          expect(await reader.timeAt(at)).toBe(expected);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("a log without a timeline has no times", async () => {
    await using reader = await TimelineReader.open("/nonexistent/log.times");
    expect(await reader.timeAt(0)).toBeUndefined();
  });
});
