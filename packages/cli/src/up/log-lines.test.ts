import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { logLines } from "./log-lines.ts";

async function* chunks(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function collect(parts: Uint8Array[], maxLine?: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of logLines(chunks(...parts), maxLine)) lines.push(line);
  return lines;
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe("log lines", () => {
  test("a last line without an end is not lost", async () => {
    expect(await collect([bytes("a\nb")])).toEqual(["a", "b"]);
  });

  test("a line without end is given out in pieces", async () => {
    expect(await collect([bytes("abcdef")], 2)).toEqual(["ab", "cd", "ef"]);
  });

  test("a log cannot move the cursor of the terminal", async () => {
    expect(await collect([bytes("\u001B[2Jgone\r\n")])).toEqual(["\uFFFD[2Jgone"]);
  });

  test("colours are taken out, and of a progress line the last state is shown", async () => {
    const text = "\u001B[1;31mred\u001B[0m\r\n 10 %\r 90 %\r100 %\r\n";
    expect(await collect([bytes(text)])).toEqual(["red", "100 %"]);
  });

  test("however the bytes are cut, the lines are the same", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "grapheme" }).map((text) => text.replace(/\p{Cc}/gu, "\n")),
        fc.integer({ min: 1, max: 5 }),
        async (text, size) => {
          const whole = bytes(text);
          const parts: Uint8Array[] = [];
          for (let at = 0; at < whole.length; at += size) parts.push(whole.subarray(at, at + size));
          const expected = text.split("\n");
          if (expected.at(-1) === "") expected.pop();
          expect(await collect(parts)).toEqual(expected);
        },
      ),
    );
  });
});
