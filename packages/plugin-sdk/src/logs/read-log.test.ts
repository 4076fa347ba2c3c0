import { appendFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RuntimeLogOptions } from "../runtime/container-runtime.ts";
import { eventually } from "../testing/eventually.ts";
import { naiveLog } from "../testing/naive-log.ts";
import { temporaryDirectory } from "../testing/temporary-directory.ts";
import type { ReadLogContext } from "./read-log.ts";
import { readLog } from "./read-log.ts";
import type { TimelineEntry } from "./timeline.ts";
import { encodeEntry, timelineFile } from "./timeline.ts";

const EPOCH = Date.parse("2026-01-01T00:00:00Z");
const plain: RuntimeLogOptions = { follow: false, timestamps: false };

function context(overrides: Partial<ReadLogContext> = {}): ReadLogContext {
  return { signal: new AbortController().signal, ended: () => true, ...overrides };
}

async function read(file: string, options: Partial<RuntimeLogOptions> = {}): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readLog(file, { ...plain, ...options }, context())) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** A log of ten lines `0` … `9`, line n written at second n. */
async function tenLines(directory: string): Promise<string> {
  const file = join(directory, "main-0.log");
  await writeFile(file, "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  const entries = Array.from({ length: 10 }, (_, n) =>
    encodeEntry({ offset: 2 * (n + 1), milliseconds: EPOCH + n * 1000 }),
  );
  await writeFile(timelineFile(file), entries.join(""));
  return file;
}

describe("filters", () => {
  test.each<[string, Partial<RuntimeLogOptions>, string]>([
    ["everything", {}, "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n"],
    ["the last lines", { tailLines: 2 }, "8\n9\n"],
    ["no line", { tailLines: 0 }, ""],
    ["more lines than there are", { tailLines: 99 }, "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n"],
    ["lines since a time, that time included", { sinceTime: EPOCH + 7000 }, "7\n8\n9\n"],
    ["tail first, then since", { tailLines: 2, sinceTime: EPOCH + 5000 }, "8\n9\n"],
    ["since first would give another line", { tailLines: 5, sinceTime: EPOCH + 8000 }, "8\n9\n"],
    ["a limit of bytes, in mid-line", { limitBytes: 3 }, "0\n1"],
    ["the limit last", { tailLines: 2, limitBytes: 3 }, "8\n9"],
    [
      "timestamps with nine digits",
      { tailLines: 1, timestamps: true },
      "2026-01-01T00:00:09.000000000Z 9\n",
    ],
    ["timestamps count for the limit", { tailLines: 1, timestamps: true, limitBytes: 4 }, "2026"],
  ])("%s", async (_name, options, expected) => {
    await using directory = await temporaryDirectory();
    expect((await read(await tenLines(directory.path), options)).toString()).toBe(expected);
  });

  test("a log that was never written is empty", async () => {
    await using directory = await temporaryDirectory();
    expect(await read(join(directory.path, "none.log"))).toHaveLength(0);
  });

  test("without a timeline a line is as old as the file's last change", async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, "main-0.log");
    await writeFile(file, "a\nb");
    await utimes(file, EPOCH / 1000, EPOCH / 1000);
    const stamp = "2026-01-01T00:00:00.000000000Z";
    expect((await read(file, { timestamps: true })).toString()).toBe(`${stamp} a\n${stamp} b`);
    expect(await read(file, { sinceTime: EPOCH + 1 })).toHaveLength(0);
  });

  test("equal those of a naive reader for any bytes, timeline and options", async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, "main-0.log");
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.constantFrom("\n", "\n\n", "a\n", "no end"),
      fc.integer({ min: 60_000, max: 140_000 }), // Bytes without a newline, longer than a block.
    );
    const log = fc.array(part, { maxLength: 12 });
    const options = fc.record(
      {
        tailLines: fc.nat(14),
        sinceTime: fc.integer({ min: EPOCH - 2, max: EPOCH + 1001 }),
        limitBytes: fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 2e5 })),
        timestamps: fc.boolean(),
      },
      { requiredKeys: ["timestamps"] },
    );
    const timeline = fc.array(fc.tuple(fc.nat(50_000), fc.nat(5)), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(log, timeline, options, async (parts, steps, chosen) => {
        const bytes = Buffer.concat(
          parts.map((one) => (typeof one === "number" ? Buffer.alloc(one, "é") : Buffer.from(one))),
        );
        let offset = 0;
        let milliseconds = EPOCH;
        const entries: TimelineEntry[] = [];
        for (const [by, later] of steps) {
          offset = Math.min(bytes.length, offset + by);
          milliseconds += later;
          entries.push({ offset, milliseconds });
        }
        const changed = EPOCH + 1000;
        await writeFile(file, bytes);
        await writeFile(timelineFile(file), entries.map(encodeEntry).join(""));
        await utimes(file, changed / 1000, changed / 1000);
        const expected = naiveLog(bytes, entries, changed, chosen);
        const actual = await read(file, chosen);
        expect(actual.equals(expected)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

describe("following", () => {
  interface Follower {
    text(): string;
    done: Promise<void>;
  }

  function follow(
    file: string,
    overrides: Partial<ReadLogContext>,
    options: Partial<RuntimeLogOptions> = {},
  ): Follower {
    const pieces: Uint8Array[] = [];
    const reading = readLog(file, { ...plain, follow: true, ...options }, context(overrides));
    const done = (async () => {
      for await (const piece of reading) pieces.push(piece);
    })();
    return { text: () => Buffer.concat(pieces).toString(), done };
  }

  test("waits for a file that does not exist yet, passes on what is written, ends with the container", async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, "main-0.log");
    let ended = false;
    const follower = follow(file, { ended: () => ended });
    await writeFile(file, "one\n");
    await eventually("the first line", () => follower.text() === "one\n");
    await appendFile(file, "two");
    await eventually("half a line", () => follower.text() === "one\ntwo");
    await appendFile(file, " more\n");
    ended = true;
    await follower.done;
    expect(follower.text()).toBe("one\ntwo more\n");
  });

  test("reads what was written between its last look and the end of the container", async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, "main-0.log");
    await writeFile(file, "early\n");
    const follower = follow(file, {
      ended: async () => {
        await writeFile(file, "early\nlast words\n");
        return true;
      },
    });
    await follower.done;
    expect(follower.text()).toBe("early\nlast words\n");
  });

  test("with a tail of 0 tells only new lines, stamped with the time they are seen", async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, "main-0.log");
    await writeFile(file, "old\n");
    let asked = 0;
    let ended = false;
    const follower = follow(
      file,
      {
        ended: () => {
          asked += 1;
          return ended;
        },
        now: () => EPOCH,
      },
      { tailLines: 0, timestamps: true },
    );
    await eventually("the reader has caught up", () => asked > 0);
    await appendFile(file, "new\n");
    ended = true;
    await follower.done;
    expect(follower.text()).toBe("2026-01-01T00:00:00.000000000Z new\n");
  });

  test("ends at the limit although the container runs on", async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, "main-0.log");
    await writeFile(file, "0123456789");
    const follower = follow(file, { ended: () => false }, { limitBytes: 4 });
    await follower.done;
    expect(follower.text()).toBe("0123");
  });

  test("ends without an error when the caller leaves, also before there is a file", async () => {
    await using directory = await temporaryDirectory();
    for (const name of ["there.log", "not-there.log"]) {
      const caller = new AbortController();
      const file = join(directory.path, name);
      if (name === "there.log") await writeFile(file, "x");
      let asked = 0;
      const follower = follow(file, {
        signal: caller.signal,
        ended: () => {
          asked += 1;
          return false;
        },
      });
      await eventually("it waits", () => asked > 0);
      caller.abort();
      await follower.done;
    }
  });

  test("of a container that has ended without a log ends", async () => {
    await using directory = await temporaryDirectory();
    const follower = follow(join(directory.path, "none.log"), {});
    await follower.done;
    expect(follower.text()).toBe("");
  });
});
