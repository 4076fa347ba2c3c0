import { join } from "node:path";
import { backoffMs, pause } from "@interlink/kube";
import type { Logger } from "pino";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { openLog } from "../logging.ts";
import { nextRefreshMs, type RefreshedToken, refreshToken } from "../token/refresh.ts";
import { readSecret, writeSecret } from "../token/token-file.ts";

/** After an issuer that gave none. */
const AGAIN = { firstMs: 1_000, capMs: 60_000, jitter: 0.5 };

/** What `interlink token` was told. */
export interface TokenFlags {
  tokenUrl?: string;
  clientId?: string;
  grant: "authorization_code" | "client_credentials";
  secrets?: string;
  audience?: string;
  scope?: string;
  out?: string;
  once?: boolean;
  logLevel?: string;
}

/**
 * `interlink token`: keeps a bearer token fresh in a file, until the process is asked to end. A refresh token that the
 * issuer exchanges is kept in `OUT-refresh`, which goes before the one that was given.
 */
export async function token(flags: TokenFlags, { env, signal }: CliContext): Promise<void> {
  const logger = openLog("token", flags.logLevel ?? "info");
  const tokenUrl = needed(flags.tokenUrl, "--token-url <url>", "IAM_TOKEN_ENDPOINT");
  const clientId = needed(flags.clientId, "--client-id <id>", "IAM_CLIENT_ID");
  const out = needed(flags.out, "--out <file>", "TOKEN_PATH");
  const given = await givenSecrets(flags, env);
  const kept = `${out}-refresh`;
  let refresh =
    flags.grant === "client_credentials"
      ? undefined
      : ((await readSecret(kept)) ?? given.refreshToken);
  if (flags.grant === "authorization_code" && refresh === undefined) {
    throw new CliError(
      "usage",
      "There is no refresh token. Put it into refresh-token in the directory of --secrets, or give --grant client_credentials.",
    );
  }
  let failures = 0;
  while (!signal.aborted) {
    const got = await once(
      {
        tokenUrl,
        clientId,
        ...(given.clientSecret === undefined ? {} : { clientSecret: given.clientSecret }),
        ...(refresh === undefined ? {} : { refreshToken: refresh }),
        ...(flags.audience === undefined ? {} : { audience: flags.audience }),
        ...(flags.scope === undefined ? {} : { scope: flags.scope }),
      },
      signal,
      flags.once === true ? undefined : logger,
    );
    if (signal.aborted) return;
    if (got === undefined) {
      failures++;
      await pause(backoffMs(AGAIN, failures, Math.random()), signal);
      continue;
    }
    failures = 0;
    if (got.refreshToken !== undefined && refresh !== undefined) {
      refresh = got.refreshToken;
      await writeSecret(kept, refresh);
    }
    await writeSecret(out, `${got.token}\n`);
    if (flags.once === true) return;
    const waitMs = nextRefreshMs(got.seconds);
    logger.info({ file: out, nextSeconds: Math.round(waitMs / 1_000) }, "a new token");
    await pause(waitMs, signal);
  }
}

/** Undefined, with a line in the log, when it failed and there is a log: the old token may be good for a while. */
async function once(
  options: Parameters<typeof refreshToken>[0],
  signal: AbortSignal,
  logger: Logger | undefined,
): Promise<RefreshedToken | undefined> {
  try {
    return await refreshToken(options, signal);
  } catch (error) {
    if (logger === undefined) throw error;
    if (!signal.aborted)
      logger.error({ reason: (error as Error).message }, "no new token; again soon");
    return undefined;
  }
}

async function givenSecrets(
  { secrets }: TokenFlags,
  env: CliContext["env"],
): Promise<{ clientSecret?: string; refreshToken?: string }> {
  const read = async (file: string, variable: string) =>
    (secrets === undefined ? undefined : await readSecret(join(secrets, file))) ||
    env[variable] ||
    undefined;
  const clientSecret = await read("client-secret", "IAM_CLIENT_SECRET");
  const refresh = await read("refresh-token", "IAM_REFRESH_TOKEN");
  return {
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(refresh === undefined ? {} : { refreshToken: refresh }),
  };
}

function needed(value: string | undefined, flag: string, variable: string): string {
  if (value !== undefined && value !== "") return value;
  throw new CliError("usage", `Give ${flag}, or the variable ${variable}.`);
}
