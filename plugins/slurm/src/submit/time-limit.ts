/**
 * Slurm's notations of a time limit (`--time`, squeue's `%l`) in seconds: `minutes`, `minutes:seconds`,
 * `hours:minutes:seconds`, `days-hours`, `days-hours:minutes`, `days-hours:minutes:seconds`. `Infinity` for
 * `UNLIMITED` and `INFINITE`; `undefined` for anything else.
 */
export function limitSeconds(text: string): number | undefined {
  if (/^(unlimited|infinite)$/i.test(text)) return Number.POSITIVE_INFINITY;
  const match = /^(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [first, second, third] = match.slice(2).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
  ];
  const days = match[1];
  if (days !== undefined) return Number(days) * 86_400 + first * 3600 + second * 60 + third;
  // Without days, one number is minutes, two are minutes and seconds, three begin with hours.
  if (match[4] !== undefined) return first * 3600 + second * 60 + third;
  return first * 60 + second;
}

/** `--time` for a limit in seconds: Slurm counts in minutes, so it is rounded up. */
export function limitMinutes(seconds: number): string {
  return String(Math.max(1, Math.ceil(seconds / 60)));
}
