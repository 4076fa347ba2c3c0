import { Backoff, withDeadline } from "@interlink/kube";
import type { PingAnswer } from "@interlink/protocol";
import type { RemoteSite } from "../remote/remote-site.ts";
import { Waker } from "../waker.ts";

export type PingResult =
  | { ok: true; raw: string; answer: PingAnswer | undefined }
  | { ok: false; error: Error };

/** When the site is asked how it is. Milliseconds. */
export interface PingTiming {
  /** After an answer; default 30 s, as existing nodes ask. */
  everyMs: number;
  /** After the first failure in a row, then doubling up to `retryMs`; default 1 s. */
  firstRetryMs: number;
  /** Default 5 s. */
  retryMs: number;
  /** Default 15 s. */
  deadlineMs: number;
}

/** What a node goes by that is told nothing else. */
export const defaultPingTiming: PingTiming = {
  everyMs: 30_000,
  firstRetryMs: 1000,
  retryMs: 5000,
  deadlineMs: 15_000,
};

/** Pings until its signal fires. */
export interface PingLoop {
  /** Resolves when the signal has fired. Never rejects. */
  readonly ended: Promise<void>;
  /** Something else shows that the site came or went: ask now instead of later. */
  pingNow(): void;
}

/** Asks the site whether it is there, at once and then again and again; each result is told. */
export function startPingLoop(
  site: Pick<RemoteSite, "ping">,
  told: (result: PingResult) => void,
  signal: AbortSignal,
  timing: PingTiming = defaultPingTiming,
): PingLoop {
  const { everyMs, firstRetryMs, retryMs, deadlineMs } = timing;
  const backoff = new Backoff({ firstMs: firstRetryMs, capMs: retryMs, jitter: 0.2 });
  const waker = new Waker();
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const result = await pingOnce(site, signal, deadlineMs);
      if (signal.aborted) return;
      told(result);
      if (result.ok) backoff.reset();
      await waker.pause(result.ok ? everyMs : backoff.next(Date.now()), signal);
    }
  };
  return { ended: run(), pingNow: () => waker.wake() };
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
