import { setTimeout as delay } from "node:timers/promises";
import { ProtocolError, type StatusStreamRecord } from "@interlink/protocol";

/** One plugin's part of a status stream of all. */
export interface StreamSource {
  readonly name: string;
  /** A new stream of the plugin; ends with the signal. */
  open(signal: AbortSignal): AsyncIterable<StatusStreamRecord>;
  /** Whether a pod may be told of by this plugin: another's are that one's to tell. */
  has(uid: string): boolean;
  /** Its stream could not be opened, or broke. */
  failed(error: unknown): void;
}

export interface MergeOptions {
  signal: AbortSignal;
  /** Milliseconds in which each plugin has to begin. */
  openMs: number;
  /** Before a broken stream is opened again, in milliseconds; doubled each time, up to half a minute. */
  retryMs: number;
}

const MOST_RETRY_MS = 30_000;

/**
 * The status streams of several plugins as one. `synced` is told once all have told everything: a pod that is in none is
 * unknown then, which nobody may say while one plugin is silent. When a plugin's stream breaks later, the others' news go
 * on; its own is opened again, and once it has told everything the whole stream ends, so that its reader begins anew with
 * one that is complete. Throws when a plugin cannot begin, and when all have broken.
 */
export async function* mergeStreams(
  sources: readonly StreamSource[],
  options: MergeOptions,
): AsyncGenerator<StatusStreamRecord, void, undefined> {
  const ending = new AbortController();
  const channel = new Channel<StatusStreamRecord>();
  const follow = (): void => ending.abort(options.signal.reason);
  options.signal.addEventListener("abort", follow);
  if (options.signal.aborted) follow();
  ending.signal.addEventListener("abort", () => channel.end());
  const merge = new Merge(sources, channel, { ...options, signal: ending.signal });
  const pumps = sources.map((source) => merge.pump(source));
  try {
    for (let next = await channel.take(); next !== undefined; next = await channel.take()) {
      yield next;
    }
  } finally {
    options.signal.removeEventListener("abort", follow);
    ending.abort(new ProtocolError("aborted", "the merged stream has ended"));
    await Promise.all(pumps);
  }
}

class Merge {
  private readonly unsynced: Set<StreamSource>;
  private readonly broken = new Set<StreamSource>();
  private readonly sources: readonly StreamSource[];
  private readonly channel: Channel<StatusStreamRecord>;
  private readonly options: MergeOptions;

  constructor(
    sources: readonly StreamSource[],
    channel: Channel<StatusStreamRecord>,
    options: MergeOptions,
  ) {
    this.unsynced = new Set(sources);
    this.sources = sources;
    this.channel = channel;
    this.options = options;
  }

  /** Never rejects; ends when the merged stream does. */
  async pump(source: StreamSource): Promise<void> {
    const { signal, retryMs } = this.options;
    for (let tries = 0; !signal.aborted; tries++) {
      try {
        await this.carry(source);
        throw new ProtocolError("unavailable", `the plugin ${source.name} has ended its stream`);
      } catch (error) {
        if (signal.aborted) return;
        source.failed(error);
        if (!this.broken.has(source)) tries = 0;
        this.broken.add(source);
        // Before everything was told, what is missing cannot be waited for.
        if (this.unsynced.size > 0 || this.broken.size === this.sources.length) {
          this.channel.fail(error);
          return;
        }
      }
      const wait = Math.min(MOST_RETRY_MS, retryMs * 2 ** tries);
      await delay(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  private async carry(source: StreamSource): Promise<void> {
    const isAgain = this.broken.has(source);
    const opening = new AbortController();
    const { signal, openMs } = this.options;
    const timer = setTimeout(() => {
      const words = `the plugin ${source.name} did not begin its status stream within ${openMs} ms`;
      opening.abort(new ProtocolError("timeout", words));
    }, openMs);
    try {
      const records = source.open(AbortSignal.any([signal, opening.signal]));
      for await (const record of records) {
        clearTimeout(timer);
        if (record.type === "synced" && isAgain) {
          this.channel.end();
          return;
        }
        if (isAgain || !isOf(source, record)) continue;
        if (record.type !== "synced") await this.channel.put(record);
        else if (this.unsynced.delete(source) && this.unsynced.size === 0) {
          await this.channel.put(record);
        }
      }
      // A client whose signal fired may just end.
      opening.signal.throwIfAborted();
    } catch (error) {
      throw opening.signal.aborted ? opening.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
  }
}

function isOf(source: StreamSource, record: StatusStreamRecord): boolean {
  if (record.type === "status") return source.has(record.status.UID);
  if (record.type === "gone") return source.has(record.UID);
  return record.type !== "event" || source.has(record.event.UID);
}

/** From several writers to one reader, who takes one thing at a time; a writer waits until its own is taken. */
class Channel<T> {
  private readonly waiting: { value: T; taken: () => void }[] = [];
  private over: { error?: unknown } | undefined;
  private wake: () => void = () => undefined;

  put(value: T): Promise<void> {
    if (this.over !== undefined) return Promise.resolve();
    return new Promise((taken) => {
      this.waiting.push({ value, taken });
      this.wake();
    });
  }

  end(): void {
    this.finish({});
  }

  fail(error: unknown): void {
    this.finish({ error });
  }

  /** `undefined` at the end. Throws what it failed with. What was put before is taken first. */
  async take(): Promise<T | undefined> {
    while (this.waiting.length === 0 && this.over === undefined) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const next = this.waiting.shift();
    if (next !== undefined) {
      next.taken();
      return next.value;
    }
    if (this.over !== undefined && "error" in this.over) throw this.over.error;
    return undefined;
  }

  private finish(how: { error?: unknown }): void {
    if (this.over !== undefined) return;
    this.over = how;
    // Nobody may take them any more.
    for (const { taken } of this.waiting) taken();
    this.wake();
  }
}
