import { shellWords } from "../submit/shell-words.ts";

/** The words of settings that are a list of options, of which each may hold several. Throws as {@link settingWords}. */
export function optionWords(key: string, options: readonly string[]): string[] {
  return options.flatMap((one) => settingWords(key, one));
}

/** The words of a setting, by the rules of shell words. Throws a sentence that begins with the key. */
export function settingWords(key: string, text: string | undefined): string[] {
  try {
    return shellWords(text ?? "");
  } catch (error) {
    throw new Error(`${key}: ${(error as Error).message}`, { cause: error });
  }
}
