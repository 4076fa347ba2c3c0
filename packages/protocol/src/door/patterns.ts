/** Whether everything that `one` means is meant by `pattern`. Both are names, or beginnings of names and `*`. */
export function covers(pattern: string, one: string): boolean {
  return pattern.endsWith("*") ? one.startsWith(pattern.slice(0, -1)) : pattern === one;
}

/** What both lists of patterns mean; without a list everything is meant. */
export function meantByBoth(
  first: readonly string[] | undefined,
  second: readonly string[] | undefined,
): readonly string[] | undefined {
  if (first === undefined) return second;
  if (second === undefined) return first;
  const both = first.flatMap((one) =>
    second.flatMap((other) => {
      if (covers(one, other)) return [other];
      return covers(other, one) ? [one] : [];
    }),
  );
  return [...new Set(both)];
}
