import { readPlainFile } from "@interlink/plugin-sdk";

/** A job that writes more before it begins its pod has more to say than fits here. */
const MOST_OUTPUT_BYTES = 1024 * 1024;
/** Letters of a job's output that its pod tells. */
const MOST_SAID = 600;

/** The end of a job's own output, without what a terminal would act on; `undefined`: it has none. Throws as `readPlainFile`. */
export async function lastOutput(file: string): Promise<string | undefined> {
  const text = await readPlainFile(file, "The job's output", MOST_OUTPUT_BYTES);
  const said = text
    ?.replaceAll(/[^\P{Cc}\n\t]/gu, "")
    .trim()
    .slice(-MOST_SAID);
  return said === "" ? undefined : said;
}
