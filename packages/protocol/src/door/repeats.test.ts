import { expect, test } from "vitest";
import { Repeats } from "./repeats.ts";

test("a thing is told once, and after a while again with how often it came", () => {
  let clock = 0;
  const repeats = new Repeats(1000, () => clock);
  expect([1, 2, 3].map(() => repeats.count("a"))).toEqual([0, undefined, undefined]);
  expect(repeats.count("b")).toBe(0);
  clock = 1000;
  expect(repeats.count("a")).toBe(2);
  expect(repeats.count("a")).toBeUndefined();
  clock = 2000;
  expect(repeats.count("a")).toBe(1);
});

test("any number of things takes bounded room", () => {
  const repeats = new Repeats(1000, () => 0);
  repeats.count("first");
  for (let index = 0; index < 1000; index++) repeats.count(`thing ${index}`);
  expect(repeats.count("first")).toBe(0);
});
