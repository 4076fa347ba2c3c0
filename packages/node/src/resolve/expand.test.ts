import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expand } from "./expand.ts";

const known: Record<string, string> = { A: "a", B: "b b", EMPTY: "", NESTED: "$(A)" };
const lookup = (name: string) => known[name];

describe("expand", () => {
  // Cases of Kubernetes third_party/forked/golang/expansion/expand_test.go, by rule.
  test.each([
    ["plain", "plain"],
    ["$(A)-$(B)", "a-b b"],
    ["$(EMPTY)x", "x"],
    ["$(UNKNOWN)", "$(UNKNOWN)"],
    ["$$(A)", "$(A)"],
    ["$$$(A)", "$a"],
    ["$$$$(A)", "$$(A)"],
    ["$(NESTED)", "$(A)"],
    ["$(A", "$(A"],
    ["$($(A)", "$($(A)"],
    ["$A ${A}", "$A ${A}"],
    ["trailing $", "trailing $"],
    ["$()", "$()"],
    ["--$((A))", "--$((A))"],
    ["$(A$$", "$(A$"],
  ])("%s → %s", (input, expected) => expect(expand(input, lookup)).toBe(expected));

  test("leaves text without a dollar as it is and never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const plain = text.replaceAll("$", "");
        expect(expand(plain, lookup)).toBe(plain);
        expect(expand(plain.replace(/^/, "$$$$"), lookup)).toBe(`$${plain}`);
        expand(text, lookup);
      }),
    );
  });
});
