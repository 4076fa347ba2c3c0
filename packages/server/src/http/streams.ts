import { once } from "node:events";
import { ProtocolError, REQUEST_ID_HEADER } from "@interlink/protocol";
import type { FastifyReply } from "fastify";
import type { ServerMetrics, StreamKind } from "../observe/metrics.ts";

/** How one stream is to be sent. */
export interface StreamAnswer {
  kind: "logs" | "status";
  contentType: string;
  /** Fires when the caller has left or the server closes: whatever the stream waits for, it ends. */
  signal: AbortSignal;
  /** Resolves when the other side has agreed to send. Its error before that is an ordinary HTTP error. */
  open(): Promise<AsyncIterable<Uint8Array | string>>;
  /** Send our headers after so many milliseconds even if `open` is still waiting. Default: wait for `open`. */
  headersAfterMs?: number;
}

/** Sends streams: headers at once, every chunk at once, no faster than the caller reads, never more than the limit. */
export class Streams {
  private open = 0;
  private readonly limit: number;
  private readonly metrics: ServerMetrics;

  constructor(limit: number, metrics: ServerMetrics) {
    this.limit = limit;
    this.metrics = metrics;
  }

  /**
   * Resolves when the stream has ended, well or not. A stream that breaks off after the headers closes the connection
   * without the last chunk: the caller must not take a part for the whole.
   */
  async send(reply: FastifyReply, answer: StreamAnswer): Promise<void> {
    await this.carry(answer.kind, () => sendStream(reply, answer));
  }

  /** Counts a stream that something else carries. Throws `unavailable` at the limit, and what `work` throws. */
  async carry(kind: StreamKind, work: () => Promise<void>): Promise<void> {
    if (this.open >= this.limit) {
      throw new ProtocolError("unavailable", `already ${this.limit} streams are open; try later`);
    }
    this.open++;
    this.metrics.streamOpened(kind);
    try {
      await work();
    } finally {
      this.open--;
      this.metrics.streamClosed(kind);
    }
  }
}

async function sendStream(reply: FastifyReply, answer: StreamAnswer): Promise<void> {
  const opening = answer.open();
  if (answer.headersAfterMs === undefined) await opening;
  else await settledWithin(opening, answer.headersAfterMs);
  reply.hijack();
  const { raw } = reply;
  try {
    raw.writeHead(200, {
      "content-type": answer.contentType,
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      [REQUEST_ID_HEADER]: reply.request.id,
    });
    raw.flushHeaders();
    for await (const chunk of await opening) {
      if (!raw.write(chunk)) await drained(raw, answer.signal);
    }
    raw.end();
  } catch (error) {
    reply.request.log.info({ err: error, path: reply.request.routeOptions.url }, "stream cut");
    raw.destroy();
  }
}

/** Waits for the promise, at most so long. Throws what it throws in that time. */
async function settledWithin(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([promise, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}

/** A caller that reads nothing for so long is cut off, or its place would be taken for ever. */
const STALLED_MS = 5 * 60_000;

/** Until the caller has read enough for more. Throws `aborted` when it reads nothing, or the signal fires. */
async function drained(raw: FastifyReply["raw"], signal: AbortSignal): Promise<void> {
  const given = new AbortController();
  const giveUp = (): void => given.abort();
  const timer = setTimeout(giveUp, STALLED_MS);
  signal.addEventListener("abort", giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    await once(raw, "drain", { signal: given.signal });
  } catch (cause) {
    const what = signal.aborted ? "the stream was ended" : "the caller reads nothing";
    throw new ProtocolError("aborted", what, { cause });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }
}
