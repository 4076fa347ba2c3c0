import type { Readable } from "node:stream";
import { codeOfStatus, EngineError } from "./engine-error.ts";

const BODY_LIMIT = 64 * 1024;

/** The error that an answer with such a status is, in the engine's words. */
export async function refusal(status: number, body: Readable): Promise<EngineError> {
  const text = await readAtMost(body, BODY_LIMIT);
  return new EngineError(codeOfStatus(status), engineWords(text, status), { status });
}

/** The engine wraps its words as `{"message": …}` (Podman adds `cause`). */
function engineWords(body: string, status: number): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === "object" && parsed !== null && "message" in parsed) {
      return String(parsed.message);
    }
  } catch {
    // Not JSON: the text itself is the message.
  }
  return body.trim() === "" ? `the engine answered with HTTP status ${status}` : body.trim();
}

async function readAtMost(body: Readable, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= limit) break;
  }
  return Buffer.concat(chunks).subarray(0, limit).toString("utf8");
}
