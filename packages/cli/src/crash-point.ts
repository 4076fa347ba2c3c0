/**
 * For crash tests: `INTERLINK_CRASH_AT=create.intent-written` kills this process with SIGKILL, as a power cut would, when
 * that step is reached. `name#3` means its third time. Undefined when the variable is not set, so nothing is called.
 */
export function crashPoint(
  env: Readonly<Record<string, string | undefined>>,
): ((step: string) => void) | undefined {
  const wanted = env["INTERLINK_CRASH_AT"];
  if (!wanted) return undefined;
  const [name, count = "1"] = wanted.split("#");
  let left = Number(count);
  return (step) => {
    if (step === name && --left === 0) process.kill(process.pid, "SIGKILL");
  };
}
