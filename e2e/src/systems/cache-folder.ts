import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where the real systems keep their data: outside the checkout, kept between runs, safe to delete when all are down. */
export function cacheFolder(...below: string[]): string {
  const { XDG_CACHE_HOME: cache } = process.env;
  const folder = join(
    cache !== undefined && cache !== "" ? cache : join(homedir(), ".cache"),
    "interlink-e2e",
    ...below,
  );
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
