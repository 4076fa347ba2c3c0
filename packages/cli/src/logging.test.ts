import { describe, expect, test } from "vitest";
import { openLog } from "./logging.ts";

function record() {
  const lines: string[] = [];
  return { lines, to: { write: (line: string) => void lines.push(line) } };
}

describe("the log", () => {
  test("every line has the name of the part that speaks, once", () => {
    const { lines, to } = record();
    openLog("server", "info", to).info("ready");
    openLog(undefined, "info", to).child({ name: "plugin" }).info("ready");
    expect(lines.map((line) => line.match(/"name":"[a-z]+"/g))).toEqual([
      [`"name":"server"`],
      [`"name":"plugin"`],
    ]);
  });
});
