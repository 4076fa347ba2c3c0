import { once } from "node:events";
import type { ProcessStreams, TerminalSize } from "@interlink/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";
import type { Upgrades } from "../upgrades.ts";
import { carryProcess } from "./carry-process.ts";
import type { CommandChannels } from "./command-channels.ts";
import type { CommandOptions } from "./command-options.ts";
import { spdyCommandProtocol, webSocketCommandProtocol } from "./protocols.ts";
import { ResizeDecoder } from "./resize-decoder.ts";
import { spdyCommand } from "./spdy-command.ts";
import { webSocketCommand } from "./web-socket-command.ts";

export interface ServeParts {
  upgrades: Upgrades;
  /** How long a client may take to open the streams that belong together, milliseconds. */
  streamsMs: number;
  /** How long a terminal's size is waited for before the program starts, milliseconds. */
  sizeMs: number;
  logger: Logger;
}

/** How the process at the other end is found; its streams end with the signal. */
export interface CommandSource {
  begin: (signal: AbortSignal, size: TerminalSize | undefined) => Promise<ProcessStreams>;
  /** What stands before the words when that fails. */
  failure: string;
  /** Whose it is. */
  pod: Pod;
}

/**
 * Upgrades the connection, then begins, then carries. Throws KubeletError before the upgrade; what fails later is told
 * on the error stream. Resolves when it is over.
 */
export async function serveCommand(
  parts: ServeParts,
  request: FastifyRequest,
  reply: FastifyReply,
  wanted: CommandOptions,
  source: CommandSource,
): Promise<void> {
  const connecting = connect(parts, request, reply, wanted);
  let channels: CommandChannels;
  try {
    channels = await connecting();
  } catch (error) {
    const { name, namespace, uid } = source.pod.metadata ?? {};
    parts.logger.debug(
      { err: error, pod: `${namespace}/${name}`, uid, path: request.url },
      "a client did not open its streams",
    );
    return;
  }
  const left = new AbortController();
  void channels.closed.then(() => left.abort(new Error("the client left")));
  try {
    const sizes = new ResizeDecoder();
    const size = await firstSize(channels, sizes, parts.sizeMs);
    const streams = await source.begin(left.signal, size);
    // A plugin that cannot start a process with a size gives it one now.
    if (size !== undefined) streams.resize(size);
    await carryProcess(channels, streams, sizes);
  } catch (error) {
    if (left.signal.aborted) return;
    const words = error instanceof Error ? error.message : String(error);
    await channels.finish({ error: `Internal error occurred: ${source.failure}: ${words}` });
  }
}

/**
 * Clients send the size of their terminal as soon as they are connected: a program that starts before would see one of
 * no size. Those that send none are not waited for longer than it takes to arrive.
 */
async function firstSize(
  { resize, closed }: CommandChannels,
  sizes: ResizeDecoder,
  ms: number,
): Promise<TerminalSize | undefined> {
  if (resize === undefined) return undefined;
  if (resize.readableLength === 0) {
    const arrived = new AbortController();
    const late = setTimeout(() => arrived.abort(), ms);
    void closed.then(() => arrived.abort());
    await once(resize, "readable", { signal: arrived.signal }).catch(() => undefined);
    clearTimeout(late);
  }
  const chunk = resize.read() as Buffer | null;
  return chunk === null ? undefined : sizes.push(chunk).at(-1);
}

/** Throws KubeletError; what it gives opens the streams once the connection was taken. */
function connect(
  { upgrades, streamsMs }: ServeParts,
  request: FastifyRequest,
  reply: FastifyReply,
  wanted: CommandOptions,
): () => Promise<CommandChannels> {
  if (upgrades.kindOf(request) === "spdy") {
    const header = request.headers["x-stream-protocol-version"];
    const { name, version } = spdyCommandProtocol(header?.toString());
    const socket = upgrades.takeSpdy(request, reply, name);
    return () => spdyCommand(socket, version, wanted, streamsMs);
  }
  const protocol = webSocketCommandProtocol(request.headers["sec-websocket-protocol"]);
  const opening = upgrades.takeWebSocket(request, reply, protocol.name);
  return async () => webSocketCommand(await opening, protocol, wanted);
}
