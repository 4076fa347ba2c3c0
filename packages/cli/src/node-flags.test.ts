import { describe, expect, test } from "vitest";
import { parseLabels, parseTaints } from "./node-flags.ts";

describe("labels and taints of the command line", () => {
  test("labels are key=value, and the value may hold an equals sign", () => {
    expect(parseLabels(["a=b", "x/y=", "c=d=e"])).toEqual({ a: "b", "x/y": "", c: "d=e" });
    expect(() => parseLabels(["a"])).toThrow(/give key=value/);
  });

  test("taints are written as kubectl writes them", () => {
    expect(parseTaints(["a=b:NoSchedule", "c:NoExecute", "d=:PreferNoSchedule"])).toEqual([
      { key: "a", value: "b", effect: "NoSchedule" },
      { key: "c", effect: "NoExecute" },
      { key: "d", value: "", effect: "PreferNoSchedule" },
    ]);
    for (const wrong of ["a", "a=b", "a=b:Never", ":NoSchedule"]) {
      expect(() => parseTaints([wrong])).toThrow(/give key=value:effect/);
    }
  });
});
