import { type Authenticate, createTokenFile } from "@interlink/protocol";
import type { Logger } from "pino";
import { CliError } from "./cli-error.ts";
import { neededFile } from "./needed-file.ts";
import { secretFile } from "./secret-file.ts";

/** Callers with one of the tokens in a file. Throws `CliError` `usage` that names `option`. */
export async function knownTokens(
  file: string,
  option: string,
  logger: Logger,
): Promise<Authenticate> {
  await neededFile(file, option);
  try {
    return await createTokenFile({ file, logger, now: () => performance.now() });
  } catch (cause) {
    throw new CliError("usage", `${option}: ${(cause as Error).message}`, { cause });
  }
}

/** Names of PEM files. */
export interface CertificateFiles {
  cert: string;
  key: string;
  /** Callers must show a certificate of this authority. */
  clientCa?: string;
}

/** What is in the files of a server's certificates; `options` are their names, for messages. */
export async function certificates(
  { cert, key, clientCa }: CertificateFiles,
  options: Readonly<Record<keyof CertificateFiles, string>>,
  logger: Logger,
): Promise<{ cert: string; key: string; clientCa?: string }> {
  return {
    cert: await neededFile(cert, options.cert),
    key: await secretFile(key, options.key, logger),
    ...(clientCa === undefined ? {} : { clientCa: await neededFile(clientCa, options.clientCa) }),
  };
}
