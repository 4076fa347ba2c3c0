import type { CliContext } from "../cli-context.ts";
import { gatherFacts, type OperateFlags } from "../operate/gather.ts";
import { everyHopAnswers, showStatus } from "../operate/show-status.ts";

/** `interlink status`: every hop as it is now. Exit code 1 when one does not answer. */
export async function status(flags: OperateFlags, context: CliContext): Promise<void> {
  const { stdout, env, signal } = context;
  const facts = await gatherFacts(flags, { env, signal, now: Date.now });
  signal.throwIfAborted();
  stdout.write(
    flags.output === "json" ? `${JSON.stringify(facts, undefined, 2)}\n` : showStatus(facts),
  );
  for (const problem of facts.configuration?.problems ?? []) {
    if (flags.output === "text") context.stderr.write(`interlink: ${problem}\n`);
  }
  if (!everyHopAnswers(facts)) context.setExitCode(1);
}
