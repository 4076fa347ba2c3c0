/** Labels as kubectl prints a selector: sorted, `a=b,c=d`, `<none>` when there are none. */
export function selectorText(labels: Record<string, string> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length > 0 ? pairs.sort().join(",") : "<none>";
}
