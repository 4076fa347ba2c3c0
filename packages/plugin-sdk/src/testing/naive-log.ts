import type { TimelineEntry } from "../logs/timeline.ts";
import type { RuntimeLogOptions } from "../runtime/container-runtime.ts";

/** Kubernetes' log filters in the plainest way, over a whole log in memory: what `readLog` must equal, byte for byte. */
export function naiveLog(
  log: Buffer,
  timeline: readonly TimelineEntry[],
  fallback: number,
  options: Omit<RuntimeLogOptions, "follow">,
): Buffer {
  let lines: { offset: number; bytes: Buffer }[] = [];
  let start = 0;
  for (let at = 0; at < log.length; at += 1) {
    if (log[at] === 0x0a || at === log.length - 1) {
      lines.push({ offset: start, bytes: log.subarray(start, at + 1) });
      start = at + 1;
    }
  }
  if (options.tailLines !== undefined) {
    lines = options.tailLines === 0 ? [] : lines.slice(-options.tailLines);
  }
  const timed = lines.map((line) => ({
    ...line,
    time: timeline.find((entry) => entry.offset > line.offset)?.milliseconds ?? fallback,
  }));
  const { sinceTime } = options;
  const kept = timed.filter(({ time }) => sinceTime === undefined || time >= sinceTime);
  const whole = Buffer.concat(
    kept.flatMap(({ bytes, time }) => {
      const stamp = new Date(time).toISOString().replace("Z", "000000Z ");
      return options.timestamps ? [Buffer.from(stamp), bytes] : [bytes];
    }),
  );
  return whole.subarray(0, options.limitBytes ?? whole.length);
}
