import { expect, test } from "vitest";
import { stopSignalNumber } from "./stop-signal.ts";

test.each([
  ["SIGTERM", 15],
  ["SIGUSR1", 10],
  ["SIGRTMIN", 34],
  ["SIGRTMIN+3", 37],
  ["SIGRTMAX-1", 63],
  ["SIGRTMAX", 64],
  ["SIGRTMIN+99", 15],
  ["SIGNONSENSE", 15],
  ["constructor", 15],
])("a container that asks for %s is stopped with signal %i", (name, number) => {
  expect(stopSignalNumber(name)).toBe(number);
});
