import type { Dispatcher } from "undici";
import type { WatchEvent } from "./client.ts";
import { KubeError, type KubeStatus, parseRetryAfter } from "./errors.ts";

/** Throws the KubeError that an answer tells which is not 2xx, with the server's Status. `doing` is for its message. */
export async function throwUnlessOk(
  answer: Dispatcher.ResponseData,
  doing: string,
  nowMs: number,
): Promise<void> {
  if (answer.statusCode >= 200 && answer.statusCode < 300) return;
  const text = await answer.body.text();
  const header = answer.headers["retry-after"];
  const retryAfter = parseRetryAfter(Array.isArray(header) ? header[0] : header, nowMs);
  throw KubeError.fromStatus(answer.statusCode, readStatus(text), doing, retryAfter);
}

/** The Status in an error body; what is not one (a proxy's page) becomes its message, shortened. */
function readStatus(text: string): KubeStatus | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "kind" in value && value.kind === "Status")
      return value as KubeStatus;
  } catch {
    // Not JSON: the text itself is all there is to say.
  }
  const words = text.trim().slice(0, 300);
  return words === "" ? undefined : { message: words };
}

/** One line of a watch. Throws KubeError `server-error` if it is none. */
export function parseEvent(line: string, doing: string): WatchEvent {
  try {
    return JSON.parse(line) as WatchEvent;
  } catch (error) {
    throw new KubeError("server-error", `${doing}: the server sent a line that is not JSON`, {
      cause: error,
    });
  }
}
