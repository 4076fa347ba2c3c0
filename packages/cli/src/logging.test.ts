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

  const cause = new Error("connect ENOENT plugin.sock");
  const foreseen = Object.assign(new Error(`GET /status: ${cause.message}`, { cause }), {
    code: "unreachable",
  });
  const told = (level: string, err: Error): Record<string, unknown> => {
    const { lines, to } = record();
    openLog("server", level, to).warn({ err }, "request failed");
    return (JSON.parse(lines.join("")) as { err: Record<string, unknown> }).err;
  };

  test("an error that was foreseen is told by its sentence, once, with its stack for who wants all", () => {
    expect(told("info", foreseen)).toEqual({
      type: "Error",
      code: "unreachable",
      message: "GET /status: connect ENOENT plugin.sock",
    });
    expect(told("debug", foreseen)["stack"]).toContain("logging.test");
  });

  test("the cause of one is told where its sentence leaves it out", () => {
    const bare = Object.assign(new Error("the plugin is away", { cause }), { code: "unreachable" });
    expect(told("info", bare)["message"]).toBe("the plugin is away: connect ENOENT plugin.sock");
  });

  test("an error that nobody foresaw is told with its stack", () => {
    expect(told("info", new TypeError("x is undefined"))["stack"]).toContain("logging.test");
  });
});
