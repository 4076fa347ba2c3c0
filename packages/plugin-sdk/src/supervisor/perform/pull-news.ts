import type { PullProgress } from "../../runtime/container-runtime.ts";

/** A pull that takes no longer is only told by its events, as under a kubelet. */
const FIRST_MS = 10_000;
const LONGEST_MS = 60_000;

/**
 * When a pull that began at `begun` is told of next; `told`: the last time, if there was one. Each time is a write to the
 * API server for each pod that waits, so it is told of less and less often.
 */
export function nextNewsAt(begun: number, told: number | undefined): number {
  if (told === undefined) return begun + FIRST_MS;
  return told + Math.min(Math.max(told - begun, FIRST_MS), LONGEST_MS);
}

/** Message of a container that waits for its image. */
export function pullingMessage(image: string, { layers, bytes }: PullProgress): string {
  const fetched = `${layers.fetched} of ${layers.total} layers fetched`;
  const amount = bytes === undefined ? "" : `, ${decimalSize(bytes)}`;
  return `Pulling image "${image}": ${fetched}${amount}`;
}

/** As `docker pull` shows sizes: `1.2 GB`, `120.0 MB`, `7.5 kB`. */
function decimalSize(bytes: number): string {
  for (const [unit, size] of [
    ["GB", 1e9],
    ["MB", 1e6],
  ] as const) {
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  }
  return `${(bytes / 1e3).toFixed(1)} kB`;
}
