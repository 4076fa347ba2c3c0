import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ApiError } from "../api/api-error.ts";
import type { JsonValue } from "../api/object.ts";
import { jsonPatch } from "./json-patch.ts";

describe("JSON patch", () => {
  it.each<[string, JsonValue, object[], JsonValue]>([
    ["adds a member", { a: 1 }, [{ op: "add", path: "/b", value: 2 }], { a: 1, b: 2 }],
    ["inserts into a list", [1, 3], [{ op: "add", path: "/1", value: 2 }], [1, 2, 3]],
    ["appends with -", [1], [{ op: "add", path: "/-", value: 2 }], [1, 2]],
    ["removes", { a: 1, b: 2 }, [{ op: "remove", path: "/a" }], { b: 2 }],
    ["replaces", { a: [1, 2] }, [{ op: "replace", path: "/a/0", value: 9 }], { a: [9, 2] }],
    ["moves", { a: { b: 1 } }, [{ op: "move", from: "/a/b", path: "/c" }], { a: {}, c: 1 }],
    ["copies", { a: [1] }, [{ op: "copy", from: "/a", path: "/b" }], { a: [1], b: [1] }],
    ["goes on after a test that holds", { a: 1 }, [{ op: "test", path: "/a", value: 1 }], { a: 1 }],
    [
      "unescapes ~1 and ~0",
      { "a/b": 1 },
      [{ op: "replace", path: "/a~1b", value: 2 }],
      { "a/b": 2 },
    ],
    [
      "sets __proto__ as a key",
      {},
      [{ op: "add", path: "/__proto__", value: 1 }],
      JSON.parse('{"__proto__":1}'),
    ],
  ])("%s", (_name, before, patch, after) => {
    expect(jsonPatch(before, patch)).toEqual(after);
  });

  it.each<[string, JsonValue, unknown]>([
    ["a test that does not hold", { a: 1 }, [{ op: "test", path: "/a", value: 2 }]],
    ["removing what is not there", {}, [{ op: "remove", path: "/a" }]],
    ["an index past the end", [1], [{ op: "add", path: "/3", value: 1 }]],
    ["moving something into itself", { a: {} }, [{ op: "move", from: "/a", path: "/a/b" }]],
    ["an unknown operation", {}, [{ op: "burn", path: "/a" }]],
    ["an operation that is no object", {}, [1]],
    ["a patch that is no list", {}, { op: "add" }],
  ])("refuses %s", (_name, before, patch) => {
    expect(() => jsonPatch(before, patch)).toThrow(ApiError);
  });

  it("leaves the original alone and only ever throws ApiError", () => {
    const pointer = fc
      .array(fc.constantFrom("a", "b", "0", "1", "-", "__proto__"), { maxLength: 3 })
      .map((parts) => parts.map((part) => `/${part}`).join(""));
    const operation = fc.record({
      op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test"),
      path: pointer,
      from: pointer,
      value: fc.jsonValue(),
    });
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(operation, { maxLength: 5 }), (value, patch) => {
        const document = JSON.parse(JSON.stringify(value)) as JsonValue;
        const text = JSON.stringify(document);
        try {
          jsonPatch(document, patch);
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
        expect(JSON.stringify(document)).toBe(text);
      }),
    );
  });
});
