import { expect, test } from "vitest";
import { readCpuUsage } from "./proc.ts";

test("CPU time is read past a process name with brackets and spaces", () => {
  const stat = `7 (a) b (c)) S 1 7 7 0 -1 4194560 100 200 0 0 12 3 40 5 20 0 1 0 99 1000 50`;
  expect(readCpuUsage(stat)).toEqual({ own: 150, children: 450 });
});
