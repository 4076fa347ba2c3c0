import { pause, withDeadline } from "@interlink/kube";
import type { PingAnswer } from "@interlink/protocol";
import type { RemoteSite } from "../remote/remote-site.ts";

export type PingResult =
  | { ok: true; raw: string; answer: PingAnswer | undefined }
  | { ok: false; error: Error };

export interface PingTiming {
  /** After an answer; default 30 s, as existing nodes ask. */
  everyMs: number;
  /** After a failure; default 5 s. */
  retryMs: number;
  /** Default 15 s. */
  deadlineMs: number;
}

export const defaultPingTiming: PingTiming = { everyMs: 30_000, retryMs: 5000, deadlineMs: 15_000 };

/** Asks the site whether it is there, at once and then again and again, until the signal fires. Never rejects. */
export async function runPingLoop(
  site: Pick<RemoteSite, "ping">,
  told: (result: PingResult) => void,
  signal: AbortSignal,
  timing: PingTiming = defaultPingTiming,
): Promise<void> {
  while (!signal.aborted) {
    const result = await pingOnce(site, signal, timing.deadlineMs);
    if (signal.aborted) return;
    told(result);
    await pause(result.ok ? timing.everyMs : timing.retryMs, signal);
  }
}

async function pingOnce(
  site: Pick<RemoteSite, "ping">,
  signal: AbortSignal,
  deadlineMs: number,
): Promise<PingResult> {
  try {
    const { raw, answer } = await withDeadline(deadlineMs, signal, "ping of the site", (inner) =>
      site.ping(inner),
    );
    return { ok: true, raw, answer };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error : new Error(String(error)) };
  }
}
