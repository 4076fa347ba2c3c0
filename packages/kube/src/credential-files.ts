import { readFile } from "node:fs/promises";
import { KubeError } from "./errors.ts";

/** Reads a file that a kubeconfig or a service account names. Throws KubeError `credentials`. */
export async function readCredentialFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new KubeError(
      "credentials",
      `Cannot read ${file}: check that it exists and is readable`,
      {
        cause: error,
      },
    );
  }
}

/** How long a file's content is kept; kubelets rotate tokens long before they run out. */
export const REREAD_MS = 60_000;

/** A value that changes now and then without a word. */
export interface Reread<T> {
  /** Made anew at most once a minute. Rejects as `make` does. */
  value(): Promise<T>;
  /** What is remembered is of no use: make it anew next time. */
  forget(): void;
}

/** Remembers what `make` gave for a minute; `make` is given what it gave before. */
export function reread<T>(
  make: (before: T | undefined) => Promise<T>,
  now: () => number,
): Reread<T> {
  let known: { value: T; at: number } | undefined;
  let stale = false;
  return {
    value: async () => {
      if (known !== undefined && !stale && now() - known.at < REREAD_MS) return known.value;
      known = { value: await make(known?.value), at: now() };
      stale = false;
      return known.value;
    },
    forget: () => {
      stale = true;
    },
  };
}

/** A file that is replaced now and then. */
export function rereadFile(file: string, now: () => number): Reread<string> {
  return reread(() => readCredentialFile(file), now);
}
