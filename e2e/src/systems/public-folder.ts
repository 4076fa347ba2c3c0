import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * Where only root writes and every user of this machine reads: what an ordinary user's jobs need cannot lie in root's
 * home, where the cache is. Safe to delete when all is down.
 */
export const PUBLIC_FOLDER = "/var/lib/interlink-e2e";

/** A folder in {@link PUBLIC_FOLDER}. Throws when another user could have put something there. */
export function publicFolder(...below: string[]): string {
  mkdirSync(PUBLIC_FOLDER, { recursive: true, mode: 0o755 });
  const { uid, mode } = statSync(PUBLIC_FOLDER);
  if (uid !== 0 || (mode & 0o022) !== 0) {
    throw new Error(`${PUBLIC_FOLDER} must be root's, and only root may write there`);
  }
  const folder = join(PUBLIC_FOLDER, ...below);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  return folder;
}
