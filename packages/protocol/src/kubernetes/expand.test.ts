import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expand } from "./expand.ts";

const env = new Map([
  ["A", "1"],
  ["B", "$(A)"],
  ["NONE AT ALL", ""],
  ["", "empty name"],
  ["x y", "blank"],
  ["(", "bracket"],
]);
const lookup = (name: string): string | undefined => env.get(name);

test.each([
  ["", ""],
  ["plain", "plain"],
  ["$(A)", "1"],
  ["-$(A)-$(A)-", "-1-1-"],
  ["$(B)", "$(A)"],
  ["$(NONE)", "$(NONE)"],
  ["$(NONE AT ALL)x", "x"],
  ["$$$$(A)", "$$(A)"],
  ["--$((A))", "--$((A))"],
  ["$()", "empty name"],
  ["$(x y)", "blank"],
  ["$$(A)", "$(A)"],
  ["$$$(A)", "$1"],
  ["$$", "$"],
  ["$$$", "$$"],
  ["$", "$"],
  ["a$", "a$"],
  ["$(A", "$(A"],
  ["$(A$(A)", "$(A$(A)"],
  ["$(()", "bracket"],
  ["$A", "$A"],
  ["${A}", "${A}"],
  ["$)", "$)"],
  ["$(A))", "1)"],
])("%j becomes %j", (text, expected) => {
  expect(expand(text, lookup)).toBe(expected);
});

/** Kubernetes' scanner, character by character. */
function scanned(text: string): string {
  let out = "";
  for (let at = 0; at < text.length; at += 1) {
    const next = text[at + 1];
    if (text[at] !== "$" || next === undefined) {
      out += text[at];
    } else if (next === "$") {
      out += "$";
      at += 1;
    } else if (next !== "(") {
      out += `$${next}`;
      at += 1;
    } else {
      const close = text.indexOf(")", at + 2);
      if (close < 0) {
        out += "$(";
        at += 1;
      } else {
        const name = text.slice(at + 2, close);
        out += lookup(name) ?? `$(${name})`;
        at = close;
      }
    }
  }
  return out;
}

describe("for any text", () => {
  const text = fc.string({ unit: fc.constantFrom("$", "(", ")", "A", "B", "{", " ", "é") });

  test("equals a scanner that goes character by character", () => {
    fc.assert(
      fc.property(text, (one) => {
        expect(expand(one, lookup)).toBe(scanned(one));
      }),
    );
  });

  test("doubling every dollar gives the text back", () => {
    fc.assert(
      fc.property(fc.string(), (one) => {
        expect(expand(one.replaceAll("$", "$$$$"), lookup)).toBe(one);
      }),
    );
  });
});
