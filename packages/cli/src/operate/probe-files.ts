import { readFile, stat } from "node:fs/promises";
import { answered } from "./answered.ts";
import type { FileFacts, TokenFacts } from "./facts.ts";

/** Permission bits of a file that only its owner should read. */
export async function probeFile(file: string, what: string): Promise<FileFacts> {
  const found = await answered(() => stat(file));
  return found.ok ? { file, what, mode: found.value.mode & 0o777 } : { file, what };
}

/** What a token file holds, as far as that is no secret: a JWT tells its end, audience and issuer. */
export async function probeToken(file: string): Promise<TokenFacts> {
  const content = await answered(async () => {
    const token = (await readFile(file, "utf8")).trim();
    return { empty: token === "", ...claimsOf(token) };
  });
  return { file, content };
}

/** The claims are only shown, never trusted: nobody's signature is checked here. */
export function claimsOf(token: string): { expires?: string; audience?: string; issuer?: string } {
  const parts = token.split(".");
  if (parts.length !== 3) return {};
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(parts[1] ?? "", "base64url").toString("utf8"));
  } catch {
    return {}; // Not a JWT after all.
  }
  if (typeof claims !== "object" || claims === null) return {};
  const { exp, aud, iss } = claims as { exp?: unknown; aud?: unknown; iss?: unknown };
  const isDate = typeof exp === "number" && Math.abs(exp) < 8e12;
  const audiences = (Array.isArray(aud) ? aud : [aud]).filter((one) => typeof one === "string");
  return {
    ...(isDate ? { expires: new Date(exp * 1_000).toISOString() } : {}),
    ...(audiences.length > 0 ? { audience: audiences.join(", ") } : {}),
    ...(typeof iss === "string" ? { issuer: iss } : {}),
  };
}
