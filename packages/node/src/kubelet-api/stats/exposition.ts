/** A sample of the Prometheus text format. Nothing was measured: no sample, and never a 0 in its place. */
export interface Sample {
  /** In the order in which they are written. */
  labels: Readonly<Record<string, string>>;
  value: number | undefined;
  /** RFC 3339, of the measurement. */
  time?: string | undefined;
}

/** A metric with its samples; "" when there are none. */
export function family(
  name: string,
  type: "counter" | "gauge",
  help: string,
  samples: readonly Sample[],
): string {
  const lines = samples.flatMap(({ labels, value, time }) => {
    if (value === undefined || !Number.isFinite(value)) return [];
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
    const inner = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
    const at = time === undefined ? "" : ` ${Date.parse(time)}`;
    return [`${name}${inner} ${value}${at}\n`];
  });
  if (lines.length === 0) return "";
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function escaped(text: string): string {
  return text.replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n");
}

/** Undefined stays undefined; a 0 is no measurement. */
export function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

/** Nanoseconds in seconds. */
export function seconds(nanoseconds: number | undefined): number | undefined {
  const value = positive(nanoseconds);
  return value === undefined ? undefined : value / 1e9;
}

/** Unix seconds of an RFC 3339 time. */
export function unixSeconds(time: string): number | undefined {
  return positive(Date.parse(time) / 1000);
}
