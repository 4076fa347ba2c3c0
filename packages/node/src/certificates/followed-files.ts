import { readFile } from "node:fs/promises";
import { pause } from "@interlink/kube";
import type { Logger } from "pino";
import { certificateFacts, type KeyPair } from "./certificate-facts.ts";

/** Names of two PEM files. */
export interface CertificateFiles {
  cert: string;
  key: string;
}

/** Reads both. Rejects when one cannot be read, or they do not belong together. */
export async function readCertificateFiles({ cert, key }: CertificateFiles): Promise<KeyPair> {
  const [certPem, keyPem] = await Promise.all([readFile(cert, "utf8"), readFile(key, "utf8")]);
  const pair = { cert: certPem, key: keyPem };
  certificateFacts(pair);
  return pair;
}

/**
 * Hands what replaces the files to `use`, until the signal fires. Files that do not belong together are about to: the
 * one is written before the other. Never rejects.
 */
export async function followCertificateFiles(
  files: CertificateFiles,
  known: KeyPair,
  use: (pair: KeyPair) => void,
  logger: Logger,
  signal: AbortSignal,
  everyMs = 30_000,
): Promise<void> {
  let last = known;
  while (!signal.aborted) {
    await pause(everyMs, signal);
    if (signal.aborted) return;
    try {
      const found = await readCertificateFiles(files);
      if (found.cert === last.cert && found.key === last.key) continue;
      last = found;
      use(found);
      logger.info({ file: files.cert }, "The serving certificate was replaced.");
    } catch (err) {
      logger.warn(
        { err, ...files },
        "The serving certificate's files cannot be used; the one before is served.",
      );
    }
  }
}
