import { expect, test } from "vitest";
import { ChangeLog } from "./change-log.ts";

test("a change is over when it is shown, and told once", () => {
  const log = new ChangeLog();
  log.made("a", 1, 100);
  log.made("b", 2, 110);
  expect(log.open).toBe(2);
  log.shown("a", 1, 150);
  log.shown("a", 1, 190);
  expect(log.open).toBe(1);
  expect(log.take()).toEqual([50]);
  expect(log.take()).toEqual([]);
});

test("a later state counts for the changes that it passes over, of its own pod only", () => {
  const log = new ChangeLog();
  log.made("a", 1, 0);
  log.made("b", 2, 0);
  log.made("a", 3, 10);
  log.made("a", 4, 20);
  log.shown("a", 3, 30);
  expect(log.take()).toEqual([30, 20]);
  expect(log.open).toBe(2);
});

test("a state that shows no change yet counts for nothing", () => {
  const log = new ChangeLog();
  log.shown("a", 0, 5);
  log.made("a", 1, 10);
  log.shown("a", 0, 15);
  expect(log.take()).toEqual([]);
  expect(log.open).toBe(1);
});
