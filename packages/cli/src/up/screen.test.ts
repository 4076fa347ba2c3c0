import { describe, expect, test } from "vitest";
import { type Output, openScreen } from "./screen.ts";

function record(isTTY: boolean): Output & { text: string } {
  return {
    isTTY,
    columns: 40,
    text: "",
    write(part) {
      this.text += part;
    },
  };
}

describe("the screen", () => {
  test("where there is no terminal, only finished lines are written, without any control character", () => {
    const output = record(false);
    const screen = openScreen(output, {}, () => 0);
    screen.busy("waiting");
    screen.print(`${screen.strong("a")} line`);
    screen.close();
    expect(output.text).toBe("a line\n");
  });

  test("on a terminal the live line is cleared before a finished line and drawn again after it", () => {
    const output = record(true);
    const screen = openScreen(output, { NO_COLOR: "1" }, () => 0);
    screen.busy("waiting");
    output.text = "";
    screen.print("done");
    expect(output.text).toMatch(/^\r\u001B\[2Kdone\n\r\u001B\[2K. waiting$/u);
    output.text = "";
    screen.close();
    expect(output.text).toBe("\r\u001B[2K");
  });

  test("a live line longer than the terminal is cut, so that it stays one line", () => {
    const output = record(true);
    const screen = openScreen(output, {}, () => 0);
    screen.busy("x".repeat(200));
    screen.close();
    const longest = Math.max(...output.text.split("\r\u001B[2K").map((part) => part.length));
    expect(longest).toBeLessThan(40);
  });
});
