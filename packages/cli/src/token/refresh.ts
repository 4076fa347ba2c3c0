import { Type } from "typebox";
import { Check } from "typebox/value";
import { CliError } from "../cli-error.ts";

/** How a token is asked for (OAuth 2.0, RFC 6749 sections 4.4 and 6). */
export interface RefreshOptions {
  /** Token endpoint of the issuer. */
  tokenUrl: string;
  clientId: string;
  clientSecret?: string;
  /** Without it the client's own credentials are used. */
  refreshToken?: string;
  audience?: string;
  scope?: string;
}

/** What the issuer gave. */
export interface RefreshedToken {
  token: string;
  /** How long it is good, in seconds, if the issuer says so. */
  seconds?: number;
  /** Takes the place of the refresh token that was used. */
  refreshToken?: string;
}

const ANSWER = Type.Object({
  access_token: Type.String({ minLength: 1 }),
  expires_in: Type.Optional(Type.Number()),
  refresh_token: Type.Optional(Type.String({ minLength: 1 })),
});
const DEADLINE_MS = 30_000;
const MOST_BYTES = 1024 * 1024;

/** Asks once. Throws `CliError` `failed` with the issuer's own words, never with a secret. */
export async function refreshToken(
  options: RefreshOptions,
  signal: AbortSignal,
): Promise<RefreshedToken> {
  const { tokenUrl, clientId, clientSecret, refreshToken: refresh, audience, scope } = options;
  const form = new URLSearchParams({
    grant_type: refresh === undefined ? "client_credentials" : "refresh_token",
    client_id: clientId,
    ...(clientSecret ? { client_secret: clientSecret } : {}),
    ...(refresh === undefined ? {} : { refresh_token: refresh }),
    ...(audience ? { audience } : {}),
    ...(scope ? { scope } : {}),
  });
  let status: number;
  let text: string;
  try {
    const answer = await fetch(tokenUrl, {
      method: "POST",
      body: form,
      headers: { accept: "application/json" },
      // Secrets go to the address that was named and nowhere else.
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]),
    });
    status = answer.status;
    text = await limited(answer);
  } catch (cause) {
    throw new CliError("failed", `${tokenUrl} cannot be reached: ${reasonOf(cause)}.`, { cause });
  }
  const body = parsed(text);
  if (status !== 200 || !Check(ANSWER, body)) {
    throw new CliError("failed", `${tokenUrl} gave no token (HTTP ${status})${wordsOf(body)}.`);
  }
  const { access_token: token, expires_in: seconds, refresh_token: next } = body;
  return {
    token,
    ...(seconds === undefined || seconds <= 0 ? {} : { seconds }),
    ...(next === undefined ? {} : { refreshToken: next }),
  };
}

/** After how many milliseconds the next token is asked for: when two thirds of its life are over, at least every hour. */
export function nextRefreshMs(seconds: number | undefined): number {
  const two = ((seconds ?? 600) * 2) / 3;
  return Math.min(Math.max(two, 10), 3_600) * 1_000;
}

async function limited(answer: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of answer.body ?? []) {
    const chunk = part as Uint8Array;
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) throw new Error("the answer is too large");
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString("utf8");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Said by the caller: it gave no token.
  }
}

/** `error` and `error_description` of RFC 6749 section 5.2; nothing else of the answer is shown. */
function wordsOf(body: unknown): string {
  const { error, error_description: more } = (body ?? {}) as Record<string, unknown>;
  const words = [error, more].filter((one): one is string => typeof one === "string");
  return words.length === 0 ? "" : `: ${words.join(": ").slice(0, 500)}`;
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}
