/**
 * Variables with which Slurm's programs write times as seconds since the epoch, whatever the zone of the machine
 * (squeue, scontrol and sacct manuals, `SLURM_TIME_FORMAT`).
 */
export const TIME_VARIABLES: Readonly<Record<string, string>> = {
  SLURM_TIME_FORMAT: "%s",
  TZ: "UTC",
};

/**
 * A time as Slurm's programs write it under {@link TIME_VARIABLES}, in milliseconds since the epoch: seconds, or the
 * standard form, then in UTC. `undefined` for `N/A`, `Unknown`, `None`, zero and anything else.
 */
export function slurmTime(text: string): number | undefined {
  if (/^\d{9,11}$/.test(text)) return Number(text) * 1000;
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text)) return undefined;
  const at = Date.parse(`${text}Z`);
  return Number.isFinite(at) && at > 0 ? at : undefined;
}

/** Seconds precision, as Kubernetes writes its times. */
export function rfc3339(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
