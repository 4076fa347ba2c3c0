import type { Readable, Writable } from "node:stream";
import { Type } from "typebox";
import { ProtocolError } from "../errors.ts";
import { parseJson } from "../read/json.ts";
import { readerOf } from "../read/validate.ts";
import { CHANNEL, decodeFrame, type Frame } from "./frame.ts";
import { type MessageSocket, sendBytes } from "./message-socket.ts";
import type { ProcessEnd, ProcessStreams, TerminalSize } from "./messages.ts";
import { writeProcessEnd } from "./process-end.ts";

const size = Type.Integer({ minimum: 0, maximum: 65_535 });
const readSize = readerOf<{ Width: number; Height: number }>(
  Type.Object({ Width: size, Height: size }),
  "terminal size",
);

/** For the peer to answer the close of a socket that broke. */
const CLOSE_MS = 2_000;

/**
 * Puts a process at this end of the socket: its output, then its end, then the close. Resolves when the socket has
 * closed, whatever became of it; the streams are let go then. Never rejects.
 */
export async function serveProcess(socket: MessageSocket, streams: ProcessStreams): Promise<void> {
  const { stdin, stdout, stderr } = streams;
  const outputs = [stdout, stderr].filter((stream) => stream !== undefined);
  const letGo = (): void => {
    streams.close();
    for (const stream of outputs) stream.destroy();
  };
  const feed = stdin === undefined ? undefined : feeder(socket, stdin);
  socket.listen((message) => {
    const words = take(decodeFrame(message), feed, streams);
    if (words !== undefined) socket.close(1002, words);
  });
  const closed = socket.closed.then((): ProcessEnd => {
    letGo();
    return { error: "the caller has left" };
  });
  const pumps = Promise.all([
    pump(stdout, socket, CHANNEL.stdout),
    pump(stderr, socket, CHANNEL.stderr),
  ]);
  try {
    let end: ProcessEnd;
    try {
      await pumps;
      end = await Promise.race([streams.ended, closed]);
    } catch (error) {
      end = { error: `the output could not be read: ${ProtocolError.from(error).message}` };
    }
    await sent(socket, CHANNEL.error, Buffer.from(writeProcessEnd(end)));
    socket.close();
  } catch {
    // Nobody is left to be told.
    socket.close(1011, "", CLOSE_MS);
  }
  await closed;
}

/** Gives one message to the process; words if it breaks the rules. */
function take(
  frame: Frame | undefined,
  feed: ((data: Buffer | "end") => void) | undefined,
  streams: ProcessStreams,
): string | undefined {
  if (frame === undefined) return "a message without a channel";
  if (frame.channel === CHANNEL.stdin) {
    if (feed === undefined) return "stdin was not asked for";
    feed(frame.type === "half-close" ? "end" : frame.data);
    return undefined;
  }
  if (frame.type === "half-close") return `channel ${frame.channel} cannot be half-closed`;
  if (frame.channel !== CHANNEL.resize) return `channel ${frame.channel} takes no data`;
  const wanted = readTerminalSize(frame.data);
  if (wanted === undefined) return "not the size of a terminal";
  streams.resize(wanted);
  return undefined;
}

function readTerminalSize(data: Buffer): TerminalSize | undefined {
  try {
    const { Width: width, Height: height } = readSize(parseJson(data));
    return { width, height };
  } catch {
    return undefined;
  }
}

/** Writes to the process no faster than it reads. What it no longer takes is dropped, as a pipe's reader would. */
function feeder(socket: MessageSocket, stdin: Writable): (data: Buffer | "end") => void {
  stdin.on("error", () => stdin.destroy());
  stdin.on("close", () => socket.release());
  stdin.on("drain", () => socket.release());
  return (data) => {
    if (stdin.destroyed || stdin.writableEnded) return;
    if (data === "end") stdin.end();
    else if (data.length > 0 && !stdin.write(data)) socket.hold();
  };
}

async function pump(
  stream: Readable | undefined,
  socket: MessageSocket,
  channel: number,
): Promise<void> {
  if (stream === undefined) return;
  for await (const chunk of stream) await sent(socket, channel, chunk as Buffer);
}

function sent(socket: MessageSocket, channel: number, data: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    sendBytes(socket, channel, data, (error) => (error ? reject(error) : resolve()));
  });
}
