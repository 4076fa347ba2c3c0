/** What the validator says of one place. */
export interface SchemaProblem {
  keyword: string;
  instancePath: string;
  message: string;
  params: object;
}

/** The first problem in one sentence without an end; an unknown key comes first, with the known one that was meant. */
export function describeProblem(
  problems: readonly SchemaProblem[],
  known: readonly string[],
): string {
  const unknown = problems.find(({ keyword }) => keyword === "additionalProperties");
  if (unknown !== undefined) {
    const { additionalProperties } = unknown.params as { additionalProperties: string[] };
    const [key = ""] = additionalProperties;
    const near = nearest(key, known);
    const where = place(unknown.instancePath);
    return `${where === "" ? "" : `${where} has `}the unknown key "${key}"${near === undefined ? "" : `; did you mean "${near}"?`}`;
  }
  const [first] = problems;
  return first === undefined
    ? "it is not as expected."
    : `${place(first.instancePath) || "it"} ${first.message}.`;
}

/** `/Claims/0/Directory` as `Claims[0].Directory`. */
function place(path: string): string {
  return path
    .replaceAll(/\/(\d+)/g, "[$1]")
    .replaceAll("/", ".")
    .replace(/^\./, "");
}

/** The known key with the fewest letters to change, if that is few. */
function nearest(key: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((one) => ({ one, distance: editDistance(key.toLowerCase(), one.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= Math.max(2, key.length / 3) ? best.one : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
