import { expect, test } from "vitest";
import { crashPoint } from "./crash-point.ts";

test("without the variable there is no crash point", () => {
  expect(crashPoint({})).toBeUndefined();
  expect(crashPoint({ INTERLINK_CRASH_AT: "" })).toBeUndefined();
});

test("other steps pass", () => {
  const step = crashPoint({ INTERLINK_CRASH_AT: "create.recorded#2" });
  step?.("create.intent-written");
  step?.("create.recorded");
  expect(step).toBeDefined();
});
