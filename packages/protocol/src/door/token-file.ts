import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { ProtocolError } from "../errors.ts";
import type { Authenticate, Caller } from "./authenticate.ts";
import { bearerToken } from "./bearer-token.ts";

/** How long a file that was looked at is taken for unchanged, milliseconds. */
const FRESH_MS = 1000;

/** Which file is read, and who hears of its troubles. */
export interface TokenFileOptions {
  file: string;
  /** Of pino's kind. */
  logger: Record<"info" | "warn", (about: object, words: string) => void>;
  /** Milliseconds, any origin. */
  now: () => number;
}

/**
 * Callers that show one of the bearer tokens in a file. One token a line, and behind a blank whose it is; the word
 * `namespaces=one,two-*` there says whose pods it may touch. Empty lines and those with `#` in front are left out. The file is read again when it has changed, so that a token can
 * be exchanged for another without a restart: put the new one beside the old one, change the callers, take the old one
 * out. While it cannot be read, what was read last counts.
 *
 * Rejects if the file cannot be read now, has no token, or may be written by anyone; one that anyone may read is told.
 */
export async function createTokenFile({
  file,
  logger,
  now,
}: TokenFileOptions): Promise<Authenticate> {
  // First the version: what changes in between is seen at the next look.
  let version = await versionOf(file);
  const { mode } = await stat(file);
  if ((mode & 0o002) !== 0) throw new Error(writable(file));
  if ((mode & 0o004) !== 0) {
    logger.warn(
      { file },
      "every user of this machine may read the tokens of callers: chmod o-r it",
    );
  }
  let callers = callersIn(await readFile(file, "utf8"));
  if (callers.size === 0)
    throw new Error(`${file} has no token: write one, of 16 characters or more, on a line.`);
  let lookedAt = now();
  let reading: Promise<void> | undefined;
  let told: string | undefined;

  async function readAgain(): Promise<void> {
    try {
      const found = await versionOf(file);
      if (found === version) return;
      if (((await stat(file)).mode & 0o002) !== 0) throw new Error(writable(file));
      const fresh = callersIn(await readFile(file, "utf8"));
      // Somebody is writing it, or took all away by mistake: to lock everyone out takes a restart.
      if (fresh.size === 0) throw new Error(`${file} has no token`);
      callers = fresh;
      version = found;
      logger.info({ file, tokens: fresh.size }, "the tokens of callers were read again");
      told = undefined;
    } catch (err) {
      // Once, not once a second for as long as nobody looks.
      const { message } = err as Error;
      if (message === told) return;
      told = message;
      logger.warn({ err, file }, "the tokens of callers cannot be read; the last ones count");
    }
  }

  return async ({ headers }) => {
    if (now() - lookedAt >= FRESH_MS) {
      lookedAt = now();
      reading = readAgain();
    }
    await reading;
    const token = bearerToken(headers.authorization);
    // Digests are compared, so that the time tells nothing of the token.
    const caller = token === undefined ? undefined : callers.get(digest(token));
    if (caller === undefined) throw refusal(token);
    return caller;
  };
}

function writable(file: string): string {
  return `every user of this machine may write ${file}, and so add a token: chmod o-w it`;
}

function refusal(token: string | undefined): ProtocolError {
  const why =
    token === undefined
      ? "this server wants a bearer token (the caller's --token-file, or VKTokenFile of a virtual node)"
      : "this server does not know the bearer token; ask the site for one";
  return new ProtocolError("refused", why, { httpStatus: 401 });
}

/** Callers by the digests of their tokens. Short ones can be guessed, and are left out. */
function callersIn(text: string): Map<string, Caller> {
  const callers = new Map<string, Caller>();
  for (const [index, line] of text.split("\n").entries()) {
    const [token = "", ...words] = line.trim().split(/\s+/);
    if (token.length < 16 || token.startsWith("#")) continue;
    callers.set(digest(token), callerOf(words, `line ${index + 1} of the tokens`));
  }
  return callers;
}

const NAMESPACES = "namespaces=";

function callerOf(words: readonly string[], unnamed: string): Caller {
  const name = words.filter((word) => !word.startsWith(NAMESPACES)).join(" ");
  const limits = words.filter((word) => word.startsWith(NAMESPACES));
  const namespaces = limits.flatMap((word) => word.slice(NAMESPACES.length).split(","));
  return {
    name: name === "" ? unnamed : name,
    // A word without a name behind it allows none, not all.
    ...(limits.length === 0 ? {} : { namespaces: namespaces.filter((one) => one !== "") }),
  };
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}

/** Another text whenever the file is another: mounted Secrets are exchanged by a link. */
async function versionOf(file: string): Promise<string> {
  const { ino, mtimeMs, size } = await stat(file);
  return `${ino} ${mtimeMs} ${size}`;
}
