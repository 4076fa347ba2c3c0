import { describe, expect, it } from "vitest";
import { runProgram } from "./run-program.ts";
import { isTransient, SlurmError } from "./slurm-error.ts";

const options = { env: { PATH: process.env["PATH"] ?? "", ONLY: "this" }, deadlineMs: 10_000 };
const run = (script: string, rest: object = {}) =>
  runProgram("/bin/bash", ["-c", script], { ...options, ...rest });
const failure = async (running: Promise<unknown>): Promise<SlurmError> => {
  const error = await running.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SlurmError);
  return error as SlurmError;
};

describe("runProgram", () => {
  it("gives what was written, and the program nothing but its own environment", async () => {
    const { stdout, stderr } = await run('echo greeting >&2; printf "%s" "$ONLY ${HOME-none}"');
    expect(stdout).toBe("this none");
    expect(stderr).toBe("greeting\n");
  });

  it("gives the program its input, also one that reads none of it", async () => {
    const input = Buffer.alloc(300_000, "x");
    expect((await run("wc -c", { input })).stdout.trim()).toBe("300000");
    expect((await run("exec <&-; exit 0", { input })).stdout).toBe("");
  });

  it.skipIf(process.getuid?.() !== 0)("runs the program as somebody else", async () => {
    const { stdout } = await run("id -u; id -G", { owner: { uid: 65_534, gid: 65_534 } });
    expect(stdout).toBe("65534\n65534\n");
  });

  it("reads no word by a shell", async () => {
    const { stdout } = await runProgram("/usr/bin/printf", ["%s|", "$(id)", "a b", "`x`"], options);
    expect(stdout).toBe("$(id)|a b|`x`|");
  });

  it.each([
    ["echo 'sbatch: error: invalid partition specified: gpu' >&2; exit 1", "refused"],
    [
      "echo 'sbatch: error: Unable to contact slurm controller (connect failure)' >&2; exit 1",
      "unavailable",
    ],
    ["exit 1", "unavailable"],
    ["kill -KILL $$", "unavailable"],
  ])("says of %j that it is %s", async (script, code) => {
    expect((await failure(run(script))).code).toBe(code);
  });

  it("ends the program and its children at the deadline", async () => {
    const error = await failure(run("sleep 60 & sleep 60; true", { deadlineMs: 50 }));
    expect(error).toMatchObject({
      code: "unavailable",
      message: "bash did not answer within 0 s.",
    });
  });

  it("ends it when the caller has gone", async () => {
    const controller = new AbortController();
    const running = run("sleep 60; true", { signal: controller.signal });
    controller.abort();
    expect((await failure(running)).message).toContain("given up");
  });

  it("takes too much output for no answer", async () => {
    expect((await failure(run("yes", { maxBytes: 1000 }))).message).toContain("more than 1000");
  });

  it("says that a program is not there", async () => {
    const error = await failure(runProgram("/no/sbatch", [], options));
    expect(error).toMatchObject({ code: "missing" });
  });
});

it.each([
  ["sbatch: error: Batch job submission failed: Socket timed out on send/recv operation", true],
  ["slurm_load_jobs error: Unable to contact slurm controller (connect failure)", true],
  [
    "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified",
    false,
  ],
  [
    "sbatch: error: Batch job submission failed: Requested node configuration is not available",
    false,
  ],
  [
    "sbatch: error: Batch job submission failed: I/O error writing script/environment to file",
    true,
  ],
  ["sbatch: error: invalid partition specified: gpu", false],
])("tells whether %j may pass: %s", (words, passes) => {
  expect(isTransient(words)).toBe(passes);
});
