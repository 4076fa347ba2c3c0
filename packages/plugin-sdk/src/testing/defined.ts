/** The value; fails the test if there is none. */
export function defined<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error("nothing is there");
  return value;
}
