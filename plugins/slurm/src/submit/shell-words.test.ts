import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, it } from "vitest";
import { shellQuoted, shellWords } from "./shell-words.ts";

it.each<[string, string[]]>([
  ["", []],
  ["  a\tb\nc  ", ["a", "b", "c"]],
  ["--comment='two words' -p\"x y\"", ["--comment=two words", "-px y"]],
  ["'' \"\"", ["", ""]],
  ["a\\ b \\$x", ["a b", "$x"]],
  ['"a\\"b" "a\\b" "\\$"', ['a"b', "a\\b", "$"]],
  ["'a\\'", ["a\\"]],
  ["a\\\nb", ["ab"]],
  ["$(touch x) `y` *; # z", ["$(touch", "x)", "`y`", "*;", "#", "z"]],
])("splits %j into %j", (line, words) => {
  expect(shellWords(line)).toEqual(words);
});

it.each([
  ["'a", "a ' is not closed"],
  ['"a', 'a " is not closed'],
  ["a\\", "it ends with a backslash"],
  ["a\0b", "it holds a NUL"],
])("refuses %j because %s", (line, why) => {
  expect(() => shellWords(line)).toThrow(why);
});

const text = fc.string({ unit: "binary" }).map((word) => word.replaceAll("\0", ""));

it("gives back any words that were quoted", () => {
  fc.assert(
    fc.property(fc.array(text), (words) => {
      expect(shellWords(words.map(shellQuoted).join(" "))).toEqual(words);
    }),
  );
});

it("splits as sh does what sh does not expand", () => {
  const letters = fc.constantFrom("a", " ", "'", '"', "\\", "-", "=", "\t");
  const lines = fc.sample(fc.string({ unit: letters, maxLength: 12 }), 500).flatMap((line) => {
    try {
      return [{ line, words: shellWords(line) }];
    } catch {
      return [];
    }
  });
  expect(lines.length).toBeGreaterThan(50);
  // One shell for all of them: the number of words, then the words, each ended by a NUL.
  const script = lines.map(({ line }) => `set -- ${line}\nprintf '%s\\0' "$#" "$@"`).join("\n");
  const output = execFileSync("sh", ["-c", script], { encoding: "utf8" });
  expect(output.split("\0").slice(0, -1)).toEqual(
    lines.flatMap(({ words }) => [String(words.length), ...words]),
  );
});
