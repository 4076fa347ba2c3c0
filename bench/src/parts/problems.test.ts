import { expect, test } from "vitest";
import { problemsIn } from "./problems.ts";

const line = (level: number, msg: string, rest = {}): string =>
  JSON.stringify({ level, msg, ...rest });

test("problems are warnings and errors after the start, each with its number", () => {
  const log = [
    line(40, "isolates nothing"),
    line(30, "ready"),
    line(30, "pod changed"),
    line(40, "slow"),
    line(50, "broken", { err: { message: "no space" } }),
    line(40, "slow"),
    "",
  ];
  expect(problemsIn(log.join("\n"))).toEqual(["2x slow", "1x broken: no space"]);
});

test("a line that is no JSON is a problem, also when the program was never ready", () => {
  expect(problemsIn("FATAL ERROR: heap\n")).toEqual(["1x FATAL ERROR: heap"]);
  const warning = "(node:7) Warning: leak\n(Use `node --trace-warnings ...` to show where)\n";
  expect(problemsIn(warning)).toEqual(["1x Warning: leak"]);
});
