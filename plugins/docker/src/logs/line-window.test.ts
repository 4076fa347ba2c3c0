import fc from "fast-check";
import { expect, it } from "vitest";
import { LineWindow } from "./line-window.ts";

const text = (window: LineWindow, source: "stdout" | "stderr", piece: string): string =>
  Buffer.concat(window.push(source, Buffer.from(piece))).toString();

it("keeps the lines of two streams apart, although they come in pieces", () => {
  const window = new LineWindow(2);
  expect(text(window, "stdout", "one, ")).toBe("");
  expect(text(window, "stderr", "two, ")).toBe("two, ");
  expect(text(window, "stdout", "still one\nthree\n")).toBe("three\n");
  expect(text(window, "stderr", "still two\n")).toBe("still two\n");
  expect(window.begun).toBe(3);
});

it("gives exactly the lines between two numbers, wherever the text is cut", () => {
  const line = fc.string({ unit: fc.constantFrom("a", "é", " ") });
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 8 }),
      fc.boolean(),
      fc.nat(9),
      fc.nat(9),
      fc.array(fc.nat(40), { maxLength: 5 }),
      (lines, endsInLine, first, last, cuts) => {
        const all = lines.map((one, i) =>
          i === lines.length - 1 && endsInLine && one !== "" ? one : `${one}\n`,
        );
        const bytes = Buffer.from(all.join(""));
        const window = new LineWindow(first, last);
        const ends = [...cuts.sort((a, b) => a - b), bytes.length];
        const out = ends.flatMap((end, i) =>
          window.push("stdout", bytes.subarray(Math.min(ends[i - 1] ?? 0, end), end)),
        );
        expect(Buffer.concat(out).toString()).toBe(
          all.slice(Math.max(0, first - 1), last).join(""),
        );
        expect(window.begun).toBe(all.length);
      },
    ),
  );
});
