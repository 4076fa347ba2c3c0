#!/usr/bin/env node
import { CommanderError } from "commander";
import { CliError } from "./cli-error.ts";
import { buildProgram, type CliContext } from "./program.ts";
import { watchSignals } from "./signals.ts";

/** Run one command line to its end. Never exits by itself: what is still open is a defect that should show. */
async function main(argv: readonly string[]): Promise<void> {
  using signals = watchSignals(process);
  const context: CliContext = {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signal: signals.stop,
    impatience: signals.impatience,
    setExitCode: (code) => {
      process.exitCode = code;
    },
  };
  try {
    await buildProgram(context).parseAsync(argv, { from: "user" });
  } catch (error) {
    process.exitCode = report(error, context);
  }
}

/** The exit code for an error, after telling the person: 2 for a wrong command line or manifest, else 1. */
function report(error: unknown, { stderr, env, signal }: CliContext): number {
  // Commander has already printed its own message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof CliError) {
    stderr.write(`interlink: ${error.message}\n`);
    return error.code === "usage" || error.code === "manifest" ? 2 : 1;
  }
  if (signal.aborted) return 130;
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  stderr.write(`interlink: ${message}\n`);
  if (env["INTERLINK_DEBUG"] && stack !== undefined) stderr.write(`${stack}\n`);
  return 1;
}

await main(process.argv.slice(2));
