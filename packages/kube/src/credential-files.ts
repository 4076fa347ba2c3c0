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

/** How long a token file's content is kept; kubelets rotate it long before it runs out. */
const REREAD_MS = 60_000;

/** A reader of a file that changes now and then: reads at most once a minute. */
export function rereadFile(file: string, now: () => number): () => Promise<string> {
  let known: { text: string; at: number } | undefined;
  return async () => {
    if (known === undefined || now() - known.at >= REREAD_MS)
      known = { text: await readCredentialFile(file), at: now() };
    return known.text;
  };
}
