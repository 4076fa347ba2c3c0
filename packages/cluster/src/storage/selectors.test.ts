import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ApiError } from "../api/api-error.ts";
import { matchesFields, parseFieldSelector } from "./field-selector.ts";
import { labelMatcher, selectorMatcher } from "./label-selector.ts";

describe("label selector", () => {
  const labels = { app: "web", tier: "front", "example.com/x": "5" };
  it.each([
    ["app=web", true],
    ["app==web,tier=front", true],
    ["app!=web", false],
    ["missing!=web", true],
    ["app in (api, web)", true],
    ["app notin (api,web)", false],
    ["app", true],
    ["!app", false],
    ["!missing", true],
    ["example.com/x>4", true],
    ["example.com/x<4", false],
    ["", true],
    ["constructor", false],
  ])("%s matches: %s", (text, expected) => {
    expect(labelMatcher(text)(labels)).toBe(expected);
  });

  it("refuses what it cannot read and never fails otherwise", () => {
    expect(() => labelMatcher("a b c")).toThrow(ApiError);
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          labelMatcher(text)(labels);
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
      }),
    );
  });

  it("reads the LabelSelector of an object, of which none matches nothing", () => {
    expect(selectorMatcher(undefined)(labels)).toBe(false);
    expect(selectorMatcher({})(labels)).toBe(true);
    const expression = { key: "tier", operator: "In", values: ["front"] };
    expect(
      selectorMatcher({ matchLabels: { app: "web" }, matchExpressions: [expression] })(labels),
    ).toBe(true);
  });
});

describe("field selector", () => {
  it.each([
    ["spec.nodeName=a", true],
    ["spec.nodeName==a,status.phase!=Failed", true],
    ["spec.nodeName!=a", false],
    ["status.phase=", false],
  ])("%s matches: %s", (text, expected) => {
    const fields = { "spec.nodeName": "a", "status.phase": "Running" };
    expect(matchesFields(parseFieldSelector(text), fields)).toBe(expected);
  });

  it("unescapes commas in values", () => {
    expect(parseFieldSelector("reason=a\\,b")).toEqual([
      { field: "reason", equal: true, value: "a,b" },
    ]);
  });
});
