import { PluginError } from "../plugin-error.ts";
import type { BatchWord } from "./contract.ts";

/** Keys and values for the script, in order. Its dot keeps the name from being a container's. */
export const SETTINGS_FILE = "spec/pod.settings";
export type Settings = [key: string, value: string | number][];

/** Linux takes no longer word on a command line (`MAX_ARG_STRLEN`, with its NUL). */
const MOST_WORD_BYTES = 131_071;

/** Texts with a NUL behind each. `what` names them in the error for one that holds a NUL itself. */
export function nulSeparated(what: string, texts: readonly string[]): Uint8Array {
  for (const text of texts) {
    if (text.includes("\0")) throw new PluginError("rejected", `The ${what} must not hold a NUL.`);
  }
  return Buffer.from(texts.map((text) => `${text}\0`).join(""));
}

/** Throws `PluginError` `invalid` for what should be a number and is none: the script counts with it. */
export function encodeSettings(settings: Settings): Uint8Array {
  for (const [key, value] of settings) {
    if (typeof value === "string" || Number.isSafeInteger(value)) continue;
    throw new PluginError("invalid", `The pod has no sound number for ${key}.`);
  }
  return nulSeparated(
    "settings of the job",
    settings.flatMap(([key, value]) => [key, String(value)]),
  );
}

/**
 * A command line as `il_read_words` of the script reads it. With `command`: what is to be run inside, and stands behind
 * `words`. Throws `PluginError` `rejected` for what no command line can
 * hold: a NUL, a word beyond Linux's limit.
 */
export function encodeWords(
  what: string,
  words: readonly BatchWord[],
  command?: readonly string[],
): Uint8Array {
  const inside = (command ?? []).map((word): BatchWord => [word]);
  const long = [...words, ...inside].find((word) => wordBytes(word) > MOST_WORD_BYTES);
  if (long !== undefined) {
    throw new PluginError(
      "rejected",
      `The ${what} has a word of ${wordBytes(long)} bytes; Linux takes at most ${MOST_WORD_BYTES}. Put it into a volume.`,
    );
  }
  const encoded = (some: readonly BatchWord[]): string[] =>
    some.flatMap((word) => [...word.map(encodePart), ";"]);
  return nulSeparated(what, [
    ...encoded(words),
    ...(command === undefined ? [] : ["c"]),
    ...encoded(inside),
  ]);
}

/** A part of a word with the letter before it that tells the script what it is. */
export function encodePart(part: BatchWord[number]): string {
  if (typeof part === "string") return `t${part}`;
  if ("podPath" in part) return `p${part.podPath}`;
  if ("podText" in part) return `f${part.podText}`;
  if ("jobPath" in part) return `d${part.jobPath}`;
  if ("attemptPath" in part) return `a${part.attemptPath}`;
  return part.attemptValue === "number" ? "n" : "i";
}

function wordBytes(word: BatchWord): number {
  return word.reduce(
    (sum, part) => sum + (typeof part === "string" ? Buffer.byteLength(part) : 0),
    0,
  );
}
