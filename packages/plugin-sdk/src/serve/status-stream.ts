import type { ServerResponse } from "node:http";
import type { RemotePodStatus, StatusStreamRecord } from "@interlink/protocol";
import { writeStatusStreamLine } from "@interlink/protocol";
import { PluginError } from "../plugin-error.ts";
import type { Provider } from "../provider.ts";
import { unlessAborted } from "./call-signal.ts";
import type { PluginMetrics } from "./metrics.ts";
import { StatusQueue } from "./status-queue.ts";
import { writePiece } from "./write-piece.ts";

const PIECE_LENGTH = 32_768;

export interface StatusStreamOptions {
  provider: Provider;
  metrics: PluginMetrics;
  heartbeatMs: number;
  /** For the snapshot. */
  deadlineMs: number;
  /** Fires when the reader leaves or the plugin closes. */
  signal: AbortSignal;
}

/**
 * Write the status stream: subscribe first, then ask for everything, so that no change falls between the two; then
 * `synced`; then every change until the signal fires. Throws before the first byte when there can be no snapshot.
 */
export async function writeStatusStream(
  response: ServerResponse,
  headers: Record<string, string>,
  options: StatusStreamOptions,
): Promise<void> {
  const { provider, metrics, signal } = options;
  const queue = new StatusQueue();
  const bell = new Bell();
  const unsubscribe = provider.subscribe?.({
    status: (status) => {
      queue.status(status);
      bell.ring();
    },
    gone: (pod) => {
      queue.gone(pod);
      bell.ring();
    },
    event: (event) => {
      queue.event(event);
      bell.ring();
    },
  });
  if (unsubscribe === undefined) {
    throw new PluginError("unsupported", "This plugin does not offer the status stream.");
  }
  const send = (record: StatusStreamRecord): Promise<void> =>
    writePiece(response, writeStatusStreamLine(record), signal);
  metrics.streamOpened();
  let heartbeatDue = false;
  const heartbeat = setInterval(() => {
    heartbeatDue = true;
    bell.ring();
  }, options.heartbeatMs);
  try {
    const known = queue.merge(await snapshot(options));
    response.writeHead(200, { ...headers, "content-type": "application/x-ndjson" });
    for (const status of known) await send({ type: "status", status });
    for (const status of queue.takeStatuses()) await send({ type: "status", status });
    await send({ type: "synced", at: new Date().toISOString() });
    while (!signal.aborted) {
      for (let lines = takeLines(queue); lines !== ""; lines = takeLines(queue)) {
        await writePiece(response, lines, signal);
      }
      metrics.eventsDropped(queue.takeDropped());
      if (heartbeatDue) {
        heartbeatDue = false;
        await send({ type: "heartbeat", at: new Date().toISOString() });
      }
      await bell.heard(signal);
    }
    response.end();
  } finally {
    clearInterval(heartbeat);
    unsubscribe();
    metrics.streamClosed();
  }
}

/** What waits as one piece: to write costs more than what is written. `""`: nothing does. */
function takeLines(queue: StatusQueue): string {
  let lines = "";
  while (lines.length < PIECE_LENGTH) {
    const record = queue.take();
    if (record === undefined) break;
    lines += writeStatusStreamLine(record);
  }
  return lines;
}

/** What is here, and how the pods ended that were deleted while the reader may have been away. */
async function snapshot(options: StatusStreamOptions): Promise<RemotePodStatus[]> {
  const { provider, signal, deadlineMs } = options;
  const timeout = AbortSignal.timeout(deadlineMs);
  const either = AbortSignal.any([signal, timeout]);
  const here = await unlessAborted(provider.status("all", either), either);
  const known = new Set(here.map(({ UID }) => UID));
  // Asked second: a pod that is being buried is in one of the two.
  const ended = provider.finalStatuses?.() ?? [];
  return [...here, ...ended.filter(({ UID }) => !known.has(UID))];
}

/** Wakes one waiter; a ring while nobody waits is heard at the next wait. */
class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  async heard(signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#wake = undefined;
          signal.removeEventListener("abort", wake);
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener("abort", wake);
      });
    }
    this.#rung = false;
  }
}
