/** Waits until `condition` is true (or returns something), looking again after each turn of the event loop. */
export async function eventually<T>(
  condition: () => T | undefined | false | null,
  what = "the condition",
  withinMs = 30_000,
): Promise<T> {
  const until = Date.now() + withinMs;
  for (;;) {
    const value = condition();
    if (value !== undefined && value !== false && value !== null) return value;
    if (Date.now() > until) throw new Error(`${what} did not come true within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
