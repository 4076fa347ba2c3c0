import { describe, expect, it, onTestFinished } from "vitest";
import { ProgramHelper } from "./program-helper.ts";
import { SlurmError } from "./slurm-error.ts";

const options = { env: { PATH: process.env["PATH"] ?? "", ONLY: "this" }, deadlineMs: 60_000 };

function helper(): ProgramHelper {
  const made = new ProgramHelper();
  onTestFinished(() => made[Symbol.dispose]());
  return made;
}

async function failure(running: Promise<unknown>): Promise<SlurmError> {
  const error = await running.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SlurmError);
  return error as SlurmError;
}

describe("a helper that runs programs", () => {
  it("gives each caller what its program wrote, with nothing but its own environment", async () => {
    const programs = helper();
    const script =
      'echo greeting >&2; printf "%s" "$0 $ONLY $(env | grep -cv -e ^PWD= -e ^_= -e ^SHLVL=)"';
    const numbers = Array.from({ length: 8 }, (_, index) => String(index));
    const outputs = numbers.map((number) =>
      programs.run("/bin/bash", ["-c", script, number], options),
    );
    expect(await Promise.all(outputs)).toEqual(
      numbers.map((number) => ({ stdout: `${number} this 2`, stderr: "greeting\n" })),
    );
  });

  it("reads no word by a shell", async () => {
    const { stdout } = await helper().run(
      "/usr/bin/printf",
      ["%s|", "$(id)", "a b", "`x`"],
      options,
    );
    expect(stdout).toBe("$(id)|a b|`x`|");
  });

  it("tells how a program failed, in its own words", async () => {
    const script = "echo 'sbatch: error: invalid partition specified: gpu' >&2; exit 1";
    expect(await failure(helper().run("/bin/bash", ["-c", script], options))).toMatchObject({
      code: "refused",
      message: "sbatch: error: invalid partition specified: gpu",
    });
  });

  it("says that a program is not there", async () => {
    const error = await failure(helper().run("/no/sbatch", [], options));
    expect(error).toMatchObject({ code: "missing" });
  });

  it("gives up a program at its deadline, and runs others", async () => {
    const programs = helper();
    const late = programs.run("/bin/sleep", ["1000"], { ...options, deadlineMs: 50 });
    expect((await failure(late)).message).toBe("sleep did not answer within 0 s.");
    expect((await programs.run("/bin/echo", ["on"], options)).stdout).toBe("on\n");
  });

  it("gives up a program whose caller has gone", async () => {
    const controller = new AbortController();
    const running = helper().run("/bin/sleep", ["1000"], { ...options, signal: controller.signal });
    controller.abort();
    expect((await failure(running)).message).toContain("given up");
  });

  it("takes too much output for no answer", async () => {
    const few = { ...options, maxBytes: 100_000 };
    const error = await failure(helper().run("/usr/bin/yes", [], few));
    expect(error.message).toBe("yes wrote too much.");
  });

  it("lets those go who wait when it has died, and begins anew", async () => {
    const programs = helper();
    // The helper is the program's parent.
    const killed = programs.run("/bin/bash", ["-c", "kill -KILL $PPID"], options);
    expect(await failure(killed)).toMatchObject({ code: "unavailable" });
    expect((await programs.run("/bin/echo", ["on"], options)).stdout).toBe("on\n");
  });
});
