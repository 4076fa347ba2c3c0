/** Words of others, on one line and without anything that draws on a terminal; at most 2,000 characters. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ").slice(0, 2_000);
}
