import type { Duplex } from "node:stream";
import type { ProcessEnd } from "@interlink/protocol";
import { SpdySession } from "../spdy/session.ts";
import type { SpdyStream } from "../spdy/stream.ts";
import type { CommandChannels } from "./command-channels.ts";
import type { CommandOptions } from "./command-options.ts";
import { endMessage } from "./end-message.ts";
import type { CommandVersion } from "./protocols.ts";

/**
 * Waits until the client has opened all streams that it asked for: `error`, each wanted one, and `resize` with a
 * terminal from version 3 on. Rejects, with the connection closed, when that takes too long or the client leaves.
 */
export async function spdyCommand(
  socket: Duplex,
  version: CommandVersion,
  options: CommandOptions,
  streamsMs: number,
): Promise<CommandChannels> {
  const { stdin, stdout, stderr, tty } = options;
  const expected = new Set([
    "error",
    ...(stdin ? ["stdin"] : []),
    ...(stdout ? ["stdout"] : []),
    ...(stderr ? ["stderr"] : []),
    ...(tty && version >= 3 ? ["resize"] : []),
  ]);
  const streams = new Map<string, SpdyStream>();
  let isComplete: () => void = () => undefined;
  const session = new SpdySession({
    socket,
    maxStreams: expected.size,
    admit: (headers) => {
      const type = headers.get("streamtype")?.[0] ?? "";
      return expected.has(type) && !streams.has(type);
    },
    opened: (stream) => {
      streams.set(stream.header("streamtype"), stream);
      if (streams.size === expected.size) isComplete();
    },
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      isComplete = resolve;
      const late = "timed out waiting for client to create streams";
      timer = setTimeout(() => reject(new Error(late)), streamsMs);
      void session.closed.then(() => reject(new Error("the client left")));
    });
  } catch (error) {
    session.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return {
    stdin: streams.get("stdin"),
    stdout: streams.get("stdout"),
    stderr: streams.get("stderr"),
    resize: streams.get("resize"),
    closed: session.closed,
    destroy: () => session.destroy(),
    async finish(end: ProcessEnd) {
      const errors = streams.get("error");
      const told = new Promise<void>((resolve) => {
        errors?.end(endMessage(end, version), resolve);
      });
      await Promise.race([told, session.closed]);
      await session.close();
    },
  };
}
