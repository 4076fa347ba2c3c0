import type { BatchWord } from "@interlink/plugin-sdk";

/** Words of a command line that are what they are: no paths that only the job knows. */
export function plainWords(words: readonly string[]): BatchWord[] {
  return words.map((word) => [word]);
}
