import { type Authenticate, bearerToken, type Caller, ProtocolError } from "@interlink/protocol";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JWK,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from "jose";
import { type NamespaceClaim, namespacesOf } from "./namespaces.ts";

/** Signatures by a key pair: whoever checks them cannot make them. Never `none`, never a shared secret. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
];
const CLOCK_TOLERANCE_S = 30;
const FETCH_MS = 5000;
/** Keys are asked for again at most so often, also when a token names one that is not known. */
const COOLDOWN_MS = 30_000;
const KEYS_FRESH_MS = 600_000;

/** Whose tokens are believed, and what they must say. */
export interface JwtCallersOptions {
  /** `iss` of the tokens, an `https://` URL: where the keys are found. */
  issuer: string;
  /** What must be among the `aud` of the tokens. */
  audience: string;
  /** Where the issuer publishes its keys; default: what its discovery document says. */
  jwksUrl?: string;
  /** The issuer's keys, if it need not be asked for them. */
  keys?: readonly JWK[];
  /** Claims that a token must have, each with one of these values: text, or one of a list. */
  claims?: Readonly<Record<string, readonly string[]>>;
  /** Which namespaces' pods a token's holder may touch. Default: all. */
  namespaces?: NamespaceClaim;
  /** For tests: milliseconds between two questions for keys. */
  cooldownMs?: number;
}

/**
 * Callers that show a JSON Web Token of an OpenID Connect issuer (RFC 7519, OpenID Connect Discovery 1.0). The issuer's keys are
 * kept for ten minutes, and asked for again when a token names a key that is not among them.
 */
export function createJwtCallers(options: JwtCallersOptions): Authenticate {
  const { issuer, audience, claims = {}, namespaces } = options;
  let found: Promise<JWTVerifyGetKey> | undefined;

  function keys(): Promise<JWTVerifyGetKey> {
    if (found === undefined) {
      const finding = findKeys(options);
      found = finding;
      // The next caller tries again.
      finding.catch(() => (found = undefined));
    }
    return found;
  }

  return async ({ headers }) => {
    const token = bearerToken(headers.authorization);
    if (token === undefined) throw refusal(`this API server wants a bearer token of ${issuer}`);
    try {
      const { payload } = await jwtVerify(token, await keys(), {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_S,
        requiredClaims: ["exp", ...Object.keys(claims)],
      });
      checkClaims(payload, claims);
      return callerOf(payload, namespaces);
    } catch (error) {
      throw asRefusal(error, issuer);
    }
  };
}

async function findKeys({
  issuer,
  jwksUrl,
  keys,
  cooldownMs,
}: JwtCallersOptions): Promise<JWTVerifyGetKey> {
  if (keys !== undefined) return createLocalJWKSet({ keys: [...keys] });
  const url = jwksUrl ?? (await discover(issuer));
  return createRemoteJWKSet(new URL(url), {
    timeoutDuration: FETCH_MS,
    cooldownDuration: cooldownMs ?? COOLDOWN_MS,
    cacheMaxAge: KEYS_FRESH_MS,
  });
}

async function discover(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS), redirect: "error" });
    const document = (await answer.json()) as { issuer?: unknown; jwks_uri?: unknown };
    if (typeof document.jwks_uri === "string" && document.issuer === issuer) {
      return document.jwks_uri;
    }
    throw new Error(`${url} does not name the keys of ${issuer}`);
  } catch (cause) {
    const words = (cause as Error).message;
    throw new ProtocolError("unavailable", `the issuer of tokens cannot be asked: ${words}`, {
      cause,
    });
  }
}

function callerOf(payload: JWTPayload, by: NamespaceClaim | undefined): Caller {
  const caller: Caller = payload.sub === undefined ? {} : { name: payload.sub };
  if (by === undefined) return caller;
  const namespaces = namespacesOf(payload, by);
  if (namespaces.length > 0) return { ...caller, namespaces };
  throw new ProtocolError(
    "refused",
    `the bearer token's claim "${by.claim}" names no namespace whose pods may run here`,
    { httpStatus: 403 },
  );
}

function checkClaims(payload: JWTPayload, claims: NonNullable<JwtCallersOptions["claims"]>): void {
  for (const [name, allowed] of Object.entries(claims)) {
    const has = [payload[name]].flat();
    if (has.some((value) => typeof value === "string" && allowed.includes(value))) continue;
    throw new ProtocolError("refused", `the bearer token's claim "${name}" is none that may call`, {
      httpStatus: 403,
    });
  }
}

/** Never with the token, nor with what is in it. */
function asRefusal(error: unknown, issuer: string): ProtocolError {
  if (error instanceof ProtocolError) return error;
  if (error instanceof errors.JWTExpired) return refusal("the bearer token has expired");
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refusal(`the bearer token's claim "${error.claim}" is not as it must be`);
  }
  if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) {
    return new ProtocolError("unavailable", `the keys of ${issuer} cannot be had; try again`, {
      cause: error,
    });
  }
  return refusal(`the bearer token is none of ${issuer} (${error.code})`);
}

function refusal(words: string): ProtocolError {
  return new ProtocolError("refused", words, { httpStatus: 401 });
}
