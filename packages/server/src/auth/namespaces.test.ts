import { describe, expect, test } from "vitest";
import { mayTouch, namespacesOf } from "./namespaces.ts";

describe("the namespaces that a token allows", () => {
  const mapping = { "/physics": ["physics", "physics-*"], admins: ["*"] };
  test.each<[object, string, object | undefined, string[]]>([
    [{ ns: "lab" }, "ns", undefined, ["lab"]],
    [{ ns: ["lab", "hpc", "lab"] }, "ns", undefined, ["lab", "hpc"]],
    [{ ns: "*" }, "ns", undefined, []],
    [{ ns: "lab*" }, "ns", undefined, []],
    [{ ns: "" }, "ns", undefined, []],
    [{ ns: 7 }, "ns", undefined, []],
    [{ ns: [["lab"], { a: 1 }, null] }, "ns", undefined, []],
    [{}, "ns", undefined, []],
    [{ groups: ["/physics", "/other"] }, "groups", mapping, ["physics", "physics-*"]],
    [{ groups: "admins" }, "groups", mapping, ["*"]],
    [{ groups: ["toString", "__proto__"] }, "groups", mapping, []],
    [{ "kubernetes.io": { namespace: "lab" } }, "kubernetes.io.namespace", undefined, ["lab"]],
    [{ "kubernetes.io.namespace": "whole" }, "kubernetes.io.namespace", undefined, ["whole"]],
    [{ a: { b: { c: "deep" } } }, "a.b.c", undefined, ["deep"]],
    [{ a: "flat" }, "a.b.c", undefined, []],
    [{}, "constructor.name", undefined, []],
  ])("of %j by %s are as the mapping says", (claims, claim, map, patterns) => {
    const by = { claim, ...(map === undefined ? {} : { mapping: map as typeof mapping }) };
    expect(namespacesOf(claims as Record<string, unknown>, by)).toEqual(patterns);
  });
});

describe("a caller", () => {
  test.each<[readonly string[] | undefined, string, boolean]>([
    [undefined, "any", true],
    [[], "any", false],
    [["lab"], "lab", true],
    [["lab"], "lab-2", false],
    [["lab-*"], "lab-2", true],
    [["lab-*"], "lab", false],
    [["*"], "any", true],
  ])("with %j may touch pods of %s: %s", (namespaces, namespace, may) => {
    expect(mayTouch(namespaces === undefined ? {} : { namespaces }, namespace)).toBe(may);
  });

  test("of whom nothing is told may touch all", () => {
    expect(mayTouch(undefined, "any")).toBe(true);
  });
});
