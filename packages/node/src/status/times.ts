/**
 * Times in a pod status have seconds precision (RFC 3339, UTC), as the API server keeps them; anything finer would make
 * every patch differ from what is stored (kubelet-contract.md 3.4).
 */
export function atSeconds(now: Date): string {
  return `${now.toISOString().slice(0, 19)}Z`;
}

/** A peer's time at seconds precision; `undefined` for nothing, for nonsense, and for Go's zero time. */
export function toSeconds(time: string | null | undefined): string | undefined {
  if (!time) return undefined;
  const parsed = new Date(time);
  // Go writes a time that was never set as the year 1; no container ran before Unix time began.
  if (Number.isNaN(parsed.getTime()) || parsed.getTime() <= 0) return undefined;
  return atSeconds(parsed);
}
