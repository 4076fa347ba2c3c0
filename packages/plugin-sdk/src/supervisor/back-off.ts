/** A growing wait between tries. */
export interface BackOff {
  readonly delayMs: number;
  /** When the delay was last raised. */
  readonly updatedAt: number;
}

/** Kubernetes' for crashed containers and for image pulls (`pkg/kubelet/kubelet.go`): 10 s doubling to 5 min. */
const FIRST_DELAY_MS = 10_000;
const MAX_DELAY_MS = 300_000;

/** Whoever was well for twice the longest delay starts over. */
function isOver(backOff: BackOff, at: number): boolean {
  return at - backOff.updatedAt > 2 * MAX_DELAY_MS;
}

/** The back-off after one more try at `now`, following something that happened at `eventAt`. */
export function raised(backOff: BackOff | undefined, eventAt: number, now: number): BackOff {
  if (backOff === undefined || isOver(backOff, eventAt)) {
    return { delayMs: FIRST_DELAY_MS, updatedAt: now };
  }
  return { delayMs: Math.min(backOff.delayMs * 2, MAX_DELAY_MS), updatedAt: now };
}

/** Until when to wait after something that happened at `eventAt`; `undefined` = not at all. */
export function waitsUntil(backOff: BackOff | undefined, eventAt: number): number | undefined {
  if (backOff === undefined || isOver(backOff, eventAt)) return undefined;
  return eventAt + backOff.delayMs;
}

/** A duration as Go writes it: `10s`, `1m20s`, `850ms`, `1.234s`. */
export function goDuration(milliseconds: number): string {
  const ms = Math.trunc(milliseconds);
  if (ms === 0) return "0s";
  if (ms < 1000) return `${ms}ms`;
  const hours = Math.trunc(ms / 3_600_000);
  const minutes = Math.trunc((ms % 3_600_000) / 60_000);
  const seconds = `${(ms % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
