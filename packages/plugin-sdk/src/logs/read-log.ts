import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import type { RuntimeLogOptions } from "../runtime/container-runtime.ts";
import { FileWatch } from "./file-watch.ts";
import { LineFilter } from "./line-filter.ts";
import { tailOffset } from "./tail-offset.ts";
import { TimelineReader, timelineFile } from "./timeline.ts";

/** What surrounds the reading of a log. */
export interface ReadLogContext {
  /** Ends the reading, without an error. */
  signal: AbortSignal;
  /** Whether the container has ended, so that nothing more will be written. Asked only when following. */
  ended(): boolean | Promise<boolean>;
  /** Byte to begin at when no `tailLines` are asked for. Default 0. */
  from?: number;
  /** Milliseconds since the epoch, for lines that are seen before their time is recorded. */
  now?: () => number;
}

const PIECE_BYTES = 64 * 1024;

/**
 * The log in `file` (one attempt of one container, raw bytes, append-only) with Kubernetes' filters, in the kubelet's
 * order: the last `tailLines` lines, of these the ones since `sinceTime`, of these `limitBytes` bytes including
 * timestamps (kubelet-contract 6.3). A file that does not exist is an empty log, or one to wait for when following.
 *
 * Following ends once the container has ended and everything is read; not following ends at the size of the first look.
 */
export async function* readLog(
  file: string,
  options: RuntimeLogOptions,
  context: ReadLogContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  for await (const piece of linesOf(file, options, context)) {
    if (piece.length >= left) {
      if (left > 0) yield piece.subarray(0, left);
      return;
    }
    left -= piece.length;
    if (piece.length > 0) yield piece;
  }
}

async function* linesOf(
  file: string,
  options: RuntimeLogOptions,
  context: ReadLogContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal } = context;
  using watch = options.follow ? new FileWatch(file) : undefined;
  const handle = await openWhenThere(file, watch, context);
  if (handle === undefined) return;
  try {
    const seen = await handle.stat();
    const { size } = seen;
    let offset =
      options.tailLines === undefined
        ? (context.from ?? 0)
        : await tailOffset(handle, size, options.tailLines);
    await using times = await LogTimes.open(file, seen, context.now ?? Date.now);
    const filter = new LineFilter({
      timestamps: options.timestamps,
      ...(options.sinceTime !== undefined && { sinceTime: options.sinceTime }),
      timeAt: (at) => times.at(at),
    });
    let drained = false;
    while (!signal.aborted) {
      const end = options.follow ? (await handle.stat()).size : size;
      if (end < offset) offset = 0; // Truncated from outside: what is there now is new.
      const piece = await readPiece(handle, offset, end);
      if (piece.length > 0) {
        await times.refresh();
        yield await filter.pass(piece, offset);
        offset += piece.length;
      } else if (watch === undefined || drained) {
        return;
      } else {
        drained = await context.ended();
        if (!drained) await watch.next(signal);
      }
    }
  } finally {
    await handle.close();
  }
}

async function openWhenThere(
  file: string,
  watch: FileWatch | undefined,
  context: ReadLogContext,
): Promise<FileHandle | undefined> {
  let last = false;
  while (!context.signal.aborted) {
    try {
      return await open(file, "r");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    if (watch === undefined || last) return undefined;
    last = await context.ended();
    if (!last) await watch.next(context.signal);
  }
  return undefined;
}

async function readPiece(handle: FileHandle, offset: number, end: number): Promise<Uint8Array> {
  const length = Math.min(PIECE_BYTES, end - offset);
  if (length <= 0) return new Uint8Array();
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await handle.read(buffer, 0, length, offset);
  return buffer.subarray(0, bytesRead);
}

/**
 * Times of a log's bytes. What the timeline does not tell: bytes that were there at the first look are as old as the
 * file's last change then, later ones are new now.
 */
class LogTimes implements AsyncDisposable {
  readonly #timeline: TimelineReader;
  readonly #seen: { size: number; mtimeMs: number };
  readonly #now: () => number;

  private constructor(
    timeline: TimelineReader,
    seen: { size: number; mtimeMs: number },
    now: () => number,
  ) {
    this.#timeline = timeline;
    this.#seen = seen;
    this.#now = now;
  }

  static async open(
    file: string,
    seen: { size: number; mtimeMs: number },
    now: () => number,
  ): Promise<LogTimes> {
    return new LogTimes(await TimelineReader.open(timelineFile(file)), seen, now);
  }

  async refresh(): Promise<void> {
    await this.#timeline.refresh();
  }

  async at(offset: number): Promise<number> {
    const recorded = await this.#timeline.timeAt(offset);
    if (recorded !== undefined) return recorded;
    return offset < this.#seen.size ? Math.floor(this.#seen.mtimeMs) : this.#now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#timeline[Symbol.asyncDispose]();
  }
}
