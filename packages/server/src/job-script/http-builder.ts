import { setTimeout as delay } from "node:timers/promises";
import { type JobConfig, ProtocolError, writeRetrievedPodData } from "@interlink/protocol";
import { request } from "undici";
import type { JobScriptBuilder } from "./job-script-builder.ts";

const ATTEMPTS = 3;
/** Doubled for each further attempt; milliseconds. */
const FIRST_WAIT_MS = 250;
const DEADLINE_MS = 30_000;
const MAX_SCRIPT_BYTES = 4 * 1024 * 1024;
/** Of a builder's own words in an error. */
const MAX_WORDS = 2000;

/** What a builder is told, and how long it may take. */
export interface HttpJobScriptBuilderOptions {
  /** Told to the builder, and then to the plugin. */
  jobConfig: JobConfig;
  /** For one attempt; default 30,000. */
  deadlineMs?: number;
  /** 0 to 1, for the waits between attempts. */
  random?: () => number;
}

/**
 * A builder of job scripts elsewhere: the pod's data is posted to the URL that the virtual node names
 * (`JobScriptBuilderURL`), and the answer is the script (reference: wire and node, 1.5). Pull secrets are not for it. What
 * may pass (no answer, 429, 5xx) is tried three times in all; what the builder refuses is told in its own words.
 */
export function createHttpJobScriptBuilder({
  jobConfig,
  deadlineMs = DEADLINE_MS,
  random = Math.random,
}: HttpJobScriptBuilderOptions): JobScriptBuilder {
  return {
    async build(data, url, signal) {
      if (url === "") return undefined;
      const { pullSecrets: _, ...told } = { ...data, jobConfig };
      const body = writeRetrievedPodData(told);
      for (let attempt = 1; ; attempt++) {
        try {
          return { jobConfig, jobScript: await ask(url, body, deadlineMs, signal) };
        } catch (error) {
          if (!(error instanceof ProtocolError) || !error.transient || attempt === ATTEMPTS)
            throw error;
        }
        const wait = FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + random() / 2);
        await delay(wait, undefined, { signal });
      }
    },
  };
}

async function ask(
  url: string,
  body: string,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<string> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new ProtocolError(
      "invalid",
      "jobscriptURL (the virtual node's JobScriptBuilderURL) must begin with http:// or https://",
    );
  }
  const deadline = AbortSignal.timeout(deadlineMs);
  try {
    const { statusCode, body: answer } = await request(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: AbortSignal.any([signal, deadline]),
    });
    const text = await readText(answer);
    if (statusCode >= 200 && statusCode < 300) return text;
    throw new ProtocolError(
      "refused",
      `the job-script builder answers ${statusCode}: ${text.trim().slice(0, MAX_WORDS) || "nothing more"}`,
      { httpStatus: statusCode >= 400 ? statusCode : 502 },
    );
  } catch (cause) {
    if (cause instanceof ProtocolError) throw cause;
    signal.throwIfAborted();
    const why = deadline.aborted ? `no answer within ${deadlineMs} ms` : (cause as Error).message;
    throw new ProtocolError("unavailable", `the job-script builder: ${why}`, { cause });
  }
}

async function readText(answer: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer) {
    size += chunk.length;
    if (size > MAX_SCRIPT_BYTES) {
      const most = `${MAX_SCRIPT_BYTES / 1024 / 1024} MiB`;
      throw new ProtocolError("too-large", `the job script is longer than ${most}`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
