import type { KubeClient, KubeObject, WatchEvent } from "./client.ts";
import { KubeError, type KubeStatus } from "./errors.ts";
import type { ListSelector } from "./list-all.ts";

/** Why one watch request ended. */
export type WatchEnd =
  /** The server ended it, as it does after `timeoutSeconds`. */
  | { reason: "ended"; events: number }
  /** We ended it because nothing came for too long. */
  | { reason: "silent"; events: number }
  | { reason: "failed"; events: number; error: KubeError };

interface WatchTarget extends ListSelector {
  client: KubeClient;
  path: string;
}

interface WatchTiming {
  watchSeconds: readonly [number, number];
  graceMs: number;
  silenceMs: number;
  random: () => number;
}

/**
 * One watch request, from start to end. A watch whose connection died without a word is cut by a watchdog of our own:
 * `graceMs` after the server should have ended it, and after `silenceMs` without any line: servers send a bookmark each
 * minute, and with one that does not, beginning anew where we stand costs nothing. An ERROR event inside the stream (410 most of all) ends it as `failed`.
 */
export async function readWatch<T extends KubeObject>(
  target: WatchTarget,
  timing: WatchTiming,
  resourceVersion: string,
  signal: AbortSignal,
  each: (event: WatchEvent<T>) => void,
): Promise<WatchEnd> {
  const [least, most] = timing.watchSeconds;
  const timeoutSeconds = Math.round(least + timing.random() * (most - least));
  const watchdog = new AbortController();
  const cut = (): void => watchdog.abort(new KubeError("timeout", "the watch went silent"));
  const onAbort = (): void => watchdog.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const deadline = setTimeout(cut, timeoutSeconds * 1000 + timing.graceMs);
  const silence = setTimeout(cut, timing.silenceMs);
  let events = 0;
  try {
    const stream = target.client.watch(target.path, {
      query: {
        fieldSelector: target.fieldSelector,
        labelSelector: target.labelSelector,
        resourceVersion,
        allowWatchBookmarks: true,
        timeoutSeconds,
      },
      signal: watchdog.signal,
    });
    for await (const event of stream) {
      events += 1;
      if (event.type === "ERROR") {
        const status = event.object as KubeStatus;
        throw KubeError.fromStatus(status.code ?? 500, status, `WATCH ${target.path}`);
      }
      silence.refresh();
      each(event as WatchEvent<T>);
    }
    return { reason: "ended", events };
  } catch (error) {
    if (watchdog.signal.aborted && !signal.aborted) return { reason: "silent", events };
    return { reason: "failed", events, error: KubeError.from(error, `WATCH ${target.path}`) };
  } finally {
    clearTimeout(deadline);
    clearTimeout(silence);
    signal.removeEventListener("abort", onAbort);
  }
}
