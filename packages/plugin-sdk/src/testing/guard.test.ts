import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { guard } from "./guard.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

test("what a lost test run leaves is ended and removed, and nothing once it was disposed", async () => {
  await using temporary = await temporaryDirectory();
  await writeFile(join(temporary.path, "file"), "");
  const child = spawn("sleep", ["600"], { stdio: "ignore", detached: true });
  const ended = once(child, "exit");
  await guard(child.pid ?? 0, temporary.path)[Symbol.asyncDispose]();
  expect(child.signalCode).toBeNull();
  expect(await isThere(temporary.path)).toBe(true);
  const other = guard(child.pid ?? 0, temporary.path);
  other.lose();
  expect(await ended).toEqual([null, "SIGKILL"]);
  await eventually("the directory's end", async () => !(await isThere(temporary.path)));
  await other[Symbol.asyncDispose]();
});
