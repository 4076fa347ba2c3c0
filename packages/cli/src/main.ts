#!/usr/bin/env node
import { CommanderError } from "commander";
import type { CliContext } from "./cli-context.ts";
import { CliError } from "./cli-error.ts";
import { buildProgram } from "./program.ts";
import { watchSignals } from "./signals.ts";
import { systemErrorSentence } from "./system-error.ts";

/** Run one command line to its end. Never exits by itself: what is still open is a defect that should show. */
async function main(argv: readonly string[]): Promise<void> {
  using signals = watchSignals(process);
  // Nobody reads any more (`interlink up | head`): the same as being asked to end, and nothing more to say.
  const readerLeft = (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    signals.request();
  };
  process.stdout.on("error", readerLeft);
  process.stderr.on("error", readerLeft);
  const context: CliContext = {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: () => process.stdin,
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
  // Whatever was under way was given up because the person asked for it.
  if (signal.aborted) return 130;
  if (error instanceof CliError) {
    stderr.write(`interlink: ${error.message}\n`);
    return error.code === "usage" || error.code === "manifest" ? 2 : 1;
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  stderr.write(`interlink: ${systemErrorSentence(error) ?? message}\n`);
  if (env["INTERLINK_DEBUG"] && stack !== undefined) stderr.write(`${stack}\n`);
  return 1;
}

await main(process.argv.slice(2));
