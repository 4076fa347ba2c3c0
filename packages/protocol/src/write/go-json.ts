/**
 * JSON as Go's encoder writes it: no spaces, and `<`, `>`, `&`, U+2028 and U+2029 as escapes. Outside of strings these
 * characters do not occur, so one replacement over the text is exact.
 */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Go writes a nil slice as `null`, and its peers never make an empty one where nothing is. */
export function nilIfEmpty<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}
