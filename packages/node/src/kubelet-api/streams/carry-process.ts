import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ProcessStreams } from "@interlink/protocol";
import type { CommandChannels } from "./command-channels.ts";
import type { ResizeDecoder } from "./resize-decoder.ts";

/**
 * Joins a client and a process until the process has ended and the client was told all of its output and its end, or
 * the client has left. Never rejects.
 */
export async function carryProcess(
  channels: CommandChannels,
  streams: ProcessStreams,
  sizes: ResizeDecoder,
): Promise<void> {
  feed(channels.stdin, streams.stdin);
  channels.resize?.on("data", (chunk: Buffer) => {
    for (const size of sizes.push(chunk)) streams.resize(size);
  });
  channels.resize?.resume();
  const poured = Promise.all([
    pour(streams.stdout, channels.stdout),
    pour(streams.stderr, channels.stderr),
  ]);
  const left = channels.closed.then(() => undefined);
  const end = await Promise.race([poured.then(async () => streams.ended), left]);
  if (end !== undefined) await channels.finish(end);
  streams.close();
}

/** Input goes on as long as the process takes it; what comes later is dropped, so that it stops nothing else. */
function feed(from: Readable | undefined, to: Writable | undefined): void {
  if (from === undefined) return;
  const drop = (): void => {
    if (to !== undefined) from.unpipe(to);
    from.resume();
  };
  if (to === undefined) return drop();
  to.on("error", drop);
  to.on("close", drop);
  from.pipe(to);
}

/** Output that breaks off is as much as there is; how the process ended is told by itself. */
async function pour(from: Readable | undefined, to: Writable | undefined): Promise<void> {
  if (from === undefined) to?.end();
  else if (to === undefined) from.resume();
  else await pipeline(from, to).catch(() => undefined);
}
