import type { CliContext } from "../cli-context.ts";
import { checkFacts } from "../operate/check-facts.ts";
import { gatherFacts, type OperateFlags } from "../operate/gather.ts";
import { showFindings } from "../operate/show-findings.ts";

/** `interlink doctor`: what is wrong, and what to do. Exit code 1 when something is. */
export async function doctor(flags: OperateFlags, context: CliContext): Promise<void> {
  const { stdout, env, signal } = context;
  const facts = await gatherFacts(flags, { env, signal, now: Date.now });
  signal.throwIfAborted();
  const findings = checkFacts(facts);
  stdout.write(
    flags.output === "json"
      ? `${JSON.stringify({ findings }, undefined, 2)}\n`
      : showFindings(findings),
  );
  if (findings.some(({ level }) => level === "problem")) context.setExitCode(1);
}
