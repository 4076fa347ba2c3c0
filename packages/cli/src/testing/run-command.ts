import { Readable } from "node:stream";
import type { CliContext } from "../cli-context.ts";
import { buildProgram } from "../program.ts";

/** How a command ended. */
export interface CommandEnd {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command line in this process to its end. What it throws is thrown. */
export async function runCommand(
  argv: readonly string[],
  { env = {}, stdin = "" }: { env?: Record<string, string>; stdin?: string } = {},
): Promise<CommandEnd> {
  const end: CommandEnd = { code: 0, stdout: "", stderr: "" };
  const never = new AbortController().signal;
  const context: CliContext = {
    stdout: { write: (text) => (end.stdout += text) },
    stderr: { write: (text) => (end.stderr += text) },
    stdin: () => Readable.from([stdin]),
    env,
    signal: never,
    impatience: never,
    setExitCode: (code) => {
      end.code = code;
    },
  };
  await buildProgram(context).parseAsync(argv, { from: "user" });
  return end;
}
