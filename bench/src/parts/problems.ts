/** Level of a pino line that warns. */
const WARN = 40;

/** Whether this line of a log says that its program serves. */
export function isReady(line: string): boolean {
  return line.includes('"msg":"ready"');
}

/**
 * The warnings and errors of a log, each message once with how often it was said, and lines that are no JSON, which are
 * crashes. What was said before the program was ready is left out: it tells of the machine, not of the work.
 */
export function problemsIn(log: string): string[] {
  const lines = log.split("\n");
  const counts = new Map<string, number>();
  for (const line of lines.slice(lines.findIndex(isReady) + 1)) {
    const problem = problemOf(line);
    if (problem !== undefined) counts.set(problem, (counts.get(problem) ?? 0) + 1);
  }
  return [...counts].map(([problem, count]) => `${count}x ${problem}`);
}

function problemOf(line: string): string | undefined {
  if (line.trim() === "") return undefined;
  try {
    const { level, msg, err } = JSON.parse(line) as PinoLine;
    if (level < WARN) return undefined;
    return err?.message === undefined ? msg : `${msg}: ${err.message}`;
  } catch {
    // Not JSON: Node itself speaks, and every time gives advice and its process number as well.
    return line.startsWith("(Use `node ") ? undefined : line.replace(/^\(node:\d+\) /, "");
  }
}

interface PinoLine {
  level: number;
  msg: string;
  err?: { message?: string };
}
