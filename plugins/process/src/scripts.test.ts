import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { containerFiles, readClaim, readExit, readStarted } from "./container-files.ts";

const run = promisify(execFile);
const script = (name: string) => fileURLToPath(new URL(`../runner/${name}`, import.meta.url));
const hasShellcheck = await run("shellcheck", ["--version"]).then(
  () => true,
  () => false,
);
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "interlink-runner-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("run-container.sh", () => {
  async function container(...argv: string[]): Promise<void> {
    await writeFile(join(directory, "argv"), argv.map((word) => `${word}\0`).join(""));
    const options = { env: { PATH: "/usr/bin:/bin" } };
    await run("bash", ["-p", script("run-container.sh"), directory], options);
  }

  test("leaves a claim, the command's identity, and how and when it ended", async () => {
    const before = Date.now();
    await container("sh", "-c", "exit 6");
    const files = containerFiles(directory);
    expect(await readClaim(files)).toMatchObject({ pid: expect.any(Number) });
    expect((await readStarted(files))?.startedAt).toBeGreaterThanOrEqual(before - 1);
    const exit = await readExit(files);
    expect(exit?.exitCode).toBe(6);
    expect(exit?.finishedAt).toBeGreaterThanOrEqual(exit?.startedAt ?? Number.NaN);
  });

  test("runs nothing when the container is claimed already", async () => {
    await writeFile(join(directory, "claim"), "cancelled\n");
    await container("sh", "-c", `: >${directory}/ran`);
    await expect(readFile(join(directory, "ran"))).rejects.toMatchObject({ code: "ENOENT" });
    expect(await readExit(containerFiles(directory))).toBeUndefined();
  });

  test("does not take a shell's own words for the command", async () => {
    await container("exit", "0");
    expect((await readExit(containerFiles(directory)))?.exitCode).toBe(127);
  });
});

test.each(["", "137", "137 1.5", "137 1.5 2.5", "x 1 2\n"])(
  "an exit record cut off as %j is not read as one",
  async (text) => {
    await writeFile(join(directory, "exit"), text);
    expect(await readExit(containerFiles(directory))).toBeUndefined();
  },
);

test.skipIf(!hasShellcheck)("the scripts are clean by shellcheck", async () => {
  const { stdout } = await run("shellcheck", [
    script("run-container.sh"),
    script("enter-volumes.sh"),
  ]);
  expect(stdout).toBe("");
});
