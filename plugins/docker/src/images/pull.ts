import type { PullProgress } from "@interlink/plugin-sdk";
import type { EngineClient } from "../engine/engine-client.ts";
import { EngineError } from "../engine/engine-error.ts";
import { jsonLines } from "../engine/json-lines.ts";
import type { RegistryCredentials } from "./credentials.ts";
import { PullTally } from "./pull-progress.ts";
import type { ImageReference } from "./reference.ts";

/** A pull that tells no progress for so long is given up. Unpacking a large layer tells progress, too. */
const SILENCE_MS = 5 * 60_000;

/** Pulls once; `tell` hears how far it is. Throws `EngineError` in the engine's words. */
export async function pullImage(
  engine: EngineClient,
  { domain, path, tag, digest }: ImageReference,
  credentials: RegistryCredentials | undefined,
  tell: (progress: PullProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const silent = new AbortController();
  const giveUp = (): void => {
    silent.abort(
      new EngineError("engine", `The pull told no progress for ${SILENCE_MS / 60_000} minutes.`),
    );
  };
  let timer = setTimeout(giveUp, SILENCE_MS);
  const follow = (): void => silent.abort(signal.reason);
  signal.addEventListener("abort", follow, { once: true });
  try {
    const progress = await engine.stream({
      method: "POST",
      path: "/images/create",
      query: { fromImage: `${domain}/${path}`, tag: digest ?? tag },
      headers: { "x-registry-auth": registryAuth(credentials) },
      signal: silent.signal,
      deadlineMs: Number.POSITIVE_INFINITY,
    });
    const tally = new PullTally();
    for await (const record of jsonLines(progress)) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, SILENCE_MS);
      const words = failureOf(record);
      if (words !== undefined) throw new EngineError("engine", words);
      const far = tally.add(record);
      if (far !== undefined) tell(far);
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", follow);
  }
}

/** Base64 for URLs, with padding: engines silently ignore credentials without. */
function registryAuth(credentials: RegistryCredentials | undefined): string {
  const text = Buffer.from(JSON.stringify(credentials ?? {})).toString("base64");
  return text.replaceAll("+", "-").replaceAll("/", "_");
}

/** Errors after the first progress cannot be an HTTP status any more, so they are records of the stream. */
function failureOf(record: unknown): string | undefined {
  if (typeof record !== "object" || record === null || !("error" in record)) return undefined;
  const detail = "errorDetail" in record ? record.errorDetail : undefined;
  if (typeof detail === "object" && detail !== null && "message" in detail) {
    return String(detail.message);
  }
  return String(record.error);
}
