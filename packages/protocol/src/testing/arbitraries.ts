import fc from "fast-check";

/** Any JSON value, with the keys and numbers that hurt careless code mixed in. */
export const hostileJson = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<unknown>(
      null,
      "",
      "../../etc",
      "\u0000",
      -1,
      1e308,
      Number.MAX_SAFE_INTEGER + 1,
      [],
      {},
      [null],
    ),
    fc.jsonValue({ maxDepth: 2 }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc
      .array(
        fc.tuple(
          fc.oneof(
            fc.constantFrom("__proto__", "constructor", "metadata", "spec", "UID", "pod", "Opts"),
            fc.string({ maxLength: 8 }),
          ),
          tie("value"),
        ),
        { maxLength: 5 },
      )
      // Through text, as it arrives: `__proto__` becomes an own key.
      .map(
        (entries) =>
          JSON.parse(
            `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value ?? null)}`).join(",")}}`,
          ) as unknown,
      ),
  ),
})).value;

type Path = (string | number)[];

function pathsOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, child]) => pathsOf(child, [...at, key]))];
}

function replaced(value: unknown, path: Path, by: unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return by;
  if (Array.isArray(value)) {
    return value.map((item, index) => (String(index) === head ? replaced(item, rest, by) : item));
  }
  const object = value as Record<string, unknown>;
  return { ...object, [head]: replaced(object[head], rest, by) };
}

/** A valid message with one place replaced by something else: gets past the first checks that random values never pass. */
export function almost(valid: unknown): fc.Arbitrary<unknown> {
  return fc
    .tuple(fc.constantFrom(...pathsOf(valid)), hostileJson)
    .map(([path, by]) => replaced(valid, path, by));
}
