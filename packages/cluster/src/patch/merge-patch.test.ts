import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonValue } from "../api/object.ts";
import { mergePatch } from "./merge-patch.ts";

const json = (value: unknown): JsonValue => JSON.parse(JSON.stringify(value)) as JsonValue;

describe("JSON merge patch", () => {
  // The examples of RFC 7386, appendix A.
  it.each<[JsonValue, JsonValue, JsonValue]>([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])("makes %j with %j to %j", (before, patch, after) => {
    expect(mergePatch(before, patch)).toEqual(after);
  });

  it("gives the same when it is applied twice", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (before, patch) => {
        const once = mergePatch(json(before), json(patch));
        expect(mergePatch(once, json(patch))).toEqual(once);
      }),
    );
  });
});
