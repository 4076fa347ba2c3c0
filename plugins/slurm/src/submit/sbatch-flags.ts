import { OWN_OPTIONS, SBATCH_OPTIONS, SHORT_OPTIONS, SITE_OPTIONS } from "./sbatch-options.ts";

/** One option of sbatch by its full long name, e.g. `cpus-per-task` and `4`. */
export interface SbatchFlag {
  name: string;
  value?: string;
}

/**
 * Options of sbatch, as words of a command line. Long names may be shortened, letters put together, and values follow
 * or be attached, as getopt reads them. An option that is not known takes all words up to the next option as its value.
 * Throws a sentence for a word that belongs to no option, a missing value, or an ambiguous name.
 */
export function readSbatchFlags(words: readonly string[]): SbatchFlag[] {
  const flags: SbatchFlag[] = [];
  let at = 0;
  const follow = (shown: string): string => {
    const value = words[++at];
    if (value === undefined) throw new Error(`${shown} needs a value`);
    return value;
  };
  for (; at < words.length; at++) {
    const word = words[at] ?? "";
    if (/[\n\r\0]/.test(word)) throw new Error(`${show(word)} holds a line break`);
    if (word.startsWith("--")) {
      const equals = word.indexOf("=");
      const written = equals < 0 ? word.slice(2) : word.slice(2, equals);
      const attached = equals < 0 ? undefined : word.slice(equals + 1);
      const name = fullName(written);
      const kind = SBATCH_OPTIONS[name];
      if (attached !== undefined) {
        if (kind === "none") throw new Error(`--${name} takes no value`);
        flags.push({ name, value: attached });
      } else if (kind === "required") {
        flags.push({ name, value: follow(`--${name}`) });
      } else if (kind === undefined) {
        const rest: string[] = [];
        while (words[at + 1]?.startsWith("-") === false) rest.push(words[++at] ?? "");
        flags.push(rest.length === 0 ? { name } : { name, value: rest.join(" ") });
      } else {
        flags.push({ name });
      }
    } else if (word.startsWith("-") && word.length > 1) {
      let letters = word.slice(1);
      while (letters !== "") {
        const letter = letters.charAt(0);
        const name = Object.hasOwn(SHORT_OPTIONS, letter) ? SHORT_OPTIONS[letter] : undefined;
        if (name === undefined)
          throw new Error(`-${letter} in ${show(word)} is no option of sbatch`);
        letters = letters.slice(1);
        const kind = SBATCH_OPTIONS[name];
        if (kind === "none") flags.push({ name });
        else {
          if (kind === "required") flags.push({ name, value: letters || follow(`-${letter}`) });
          else flags.push(letters === "" ? { name } : { name, value: letters });
          letters = "";
        }
      }
    } else {
      throw new Error(`${show(word)} belongs to no option`);
    }
  }
  const bad = flags.find(({ value = "" }) => /[\n\r\0]/.test(value));
  if (bad !== undefined) throw new Error(`the value of --${bad.name} holds a line break`);
  return flags;
}

/**
 * Refuses what may not be set: always what the plugin sets itself; with `by: "pod"` also what only a site may set, and
 * the site's own list. Throws a sentence that names the option.
 */
export function checkFlags(
  flags: readonly SbatchFlag[],
  by: "site" | "pod",
  forbidden: ReadonlySet<string> = new Set(),
): void {
  for (const { name } of flags) {
    if (OWN_OPTIONS.has(name)) throw new Error(`--${name} is set by the plugin itself`);
    if (by === "pod" && SITE_OPTIONS.has(name)) {
      throw new Error(`--${name} can only be set by the site, in a flavor`);
    }
    if (by === "pod" && forbidden.has(name)) {
      throw new Error(`this site does not allow --${name} (ForbiddenFlags)`);
    }
  }
}

/** One flag for each name, the last one's value at the first one's place. */
export function lastOfEach(flags: readonly SbatchFlag[]): SbatchFlag[] {
  return [...new Map(flags.map((flag) => [flag.name, flag])).values()];
}

/** As sbatch takes it: always one word. */
export function flagWord({ name, value }: SbatchFlag): string {
  return value === undefined ? `--${name}` : `--${name}=${value}`;
}

/** The option's full name: getopt takes the beginning of one if only one begins so. */
export function fullName(written: string): string {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(written)) {
    throw new Error(`--${show(written)} is no name of an option`);
  }
  if (Object.hasOwn(SBATCH_OPTIONS, written)) return written;
  const meant = Object.keys(SBATCH_OPTIONS).filter((name) => name.startsWith(written));
  if (meant.length > 1) {
    throw new Error(`--${written} is ambiguous: ${meant.map((name) => `--${name}`).join(", ")}`);
  }
  return meant[0] ?? written;
}

function show(word: string): string {
  return JSON.stringify(word.length > 60 ? `${word.slice(0, 60)}…` : word);
}
