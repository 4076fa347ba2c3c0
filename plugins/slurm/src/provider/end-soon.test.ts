import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, it } from "vitest";
import { endSoon } from "./end-soon.ts";

let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill("SIGKILL");
});

it("tells a program to end that does not end with its input", async () => {
  child = spawn("sleep", ["600"], { stdio: "ignore" });
  const ended = once(child, "exit");
  endSoon(child, 1);
  expect(await ended).toEqual([null, "SIGTERM"]);
});

it("leaves a program alone that ends with its input, and one that has ended", async () => {
  child = spawn("sh", ["-c", "read -r line; exit 3"], { stdio: ["pipe", "ignore", "ignore"] });
  const ended = once(child, "exit");
  endSoon(child, 600_000);
  child.stdin?.destroy();
  expect(await ended).toEqual([3, null]);
  endSoon(child, 0);
  expect(child.killed).toBe(false);
});
