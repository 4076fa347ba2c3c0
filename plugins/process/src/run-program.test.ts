import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@interlink/plugin-sdk/testing";
import { describe, expect, test } from "vitest";
import { readProcess } from "./process-table.ts";
import { runProgram } from "./run-program.ts";

const env = { PATH: "/usr/bin:/bin" };
const never = new AbortController().signal;

describe("a program that is run to its end", () => {
  test("gives its exit code and the beginning of what it wrote", async () => {
    const options = { env, maxOutputBytes: 5 };
    const argv = ["sh", "-c", "printf abc; printf defg >&2; exit 3"];
    expect(await runProgram(argv, options, never)).toEqual({ exitCode: 3, output: "abcde" });
  });

  test("is told as 127 when there is none such", async () => {
    const { exitCode } = await runProgram(["/no/such"], { env, maxOutputBytes: 100 }, never);
    expect(exitCode).toBe(127);
  });

  test("is no longer waited for once it is given up, and takes what it started with it", async () => {
    const controller = new AbortController();
    const directory = await mkdtemp(join(tmpdir(), "interlink-program-"));
    const child = join(directory, "child");
    const argv = ["sh", "-c", `sleep 61 & echo $! >"${child}"; wait`];
    const running = runProgram(argv, { env, maxOutputBytes: 100 }, controller.signal);
    const pid = await eventually("it has a child", async () => {
      const text = await readFile(child, "utf8").catch(() => "");
      return text.endsWith("\n") && Number(text);
    });
    controller.abort(new Error("given up"));
    await expect(running).rejects.toThrow("given up");
    await eventually("the child is gone", async () => {
      const found = await readProcess(pid);
      return found === undefined || found.isZombie;
    });
    await rm(directory, { recursive: true });
  });
});
