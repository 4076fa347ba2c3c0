import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { certificateFacts, type KeyPair } from "./certificate-facts.ts";

/** Keeps a certificate and its key in one PEM file, so that neither is ever there without the other. */
export interface CertificateFile {
  readonly path: string;
  /** Undefined when there is none, or one that cannot be used. Never rejects. */
  read(): Promise<KeyPair | undefined>;
  /** Atomically, readable for the owner only. Rejects with the file system's error. */
  write(pair: KeyPair): Promise<void>;
}

export function certificateFile(path: string): CertificateFile {
  return {
    path,
    read: async () => {
      try {
        const pem = await readFile(path, "utf8");
        certificateFacts({ cert: pem, key: pem });
        const split = pem.indexOf("-----BEGIN CERTIFICATE-----");
        return { key: pem.slice(0, split), cert: pem.slice(split) };
      } catch {
        // The first start, or a file that somebody broke: another certificate is asked for.
        return undefined;
      }
    },
    write: async ({ cert, key }) => {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const temporary = `${path}.${randomBytes(6).toString("hex")}`;
      try {
        const file = await open(temporary, "wx", 0o600);
        try {
          await file.writeFile(`${key.trim()}\n${cert.trim()}\n`);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
  };
}
