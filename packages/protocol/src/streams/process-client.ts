import { Readable, Writable } from "node:stream";
import { ProtocolError } from "../errors.ts";
import { CHANNEL, decodeFrame, encodeData, encodeHalfClose } from "./frame.ts";
import { type MessageSocket, sendBytes } from "./message-socket.ts";
import type { AttachRequest, ProcessEnd, ProcessStreams, TerminalSize } from "./messages.ts";
import { readProcessEnd } from "./process-end.ts";

const OUTPUT_BYTES = 256 * 1024;

/** The process at the other end of the socket. */
export function processClient(socket: MessageSocket, request: AttachRequest): ProcessStreams {
  const full = new Set<Readable>();
  const output = (): Readable => {
    const stream: Readable = new Readable({
      highWaterMark: OUTPUT_BYTES,
      read() {
        if (full.delete(stream) && full.size === 0) socket.release();
      },
      destroy(error, done) {
        // What nobody wants any more must not hold back the rest.
        if (full.delete(stream) && full.size === 0) socket.release();
        done(error);
      },
    });
    return stream;
  };
  const stdout = request.Stdout ? output() : undefined;
  const stderr = request.Stderr ? output() : undefined;
  const stdin = request.Stdin ? input(socket) : undefined;
  const outputs = [stdout, stderr].filter((stream) => stream !== undefined);

  let settle: (end: ProcessEnd) => void = () => undefined;
  const ended = new Promise<ProcessEnd>((resolve) => {
    settle = resolve;
  });
  let isOver = false;
  /** The first end counts. It is told when the outputs have been read. */
  const finish = (end: ProcessEnd): void => {
    if (isOver) return;
    isOver = true;
    stdin?.destroy();
    void Promise.all(outputs.map(readToEnd)).then(() => settle(end));
    for (const stream of outputs) {
      if (!stream.destroyed) stream.push(null);
    }
  };
  const violated = (words: string): void => {
    finish({ error: `the peer broke the rules of the stream: ${words}` });
    socket.close(1002, words);
  };

  const receive = (channel: number, data: Buffer): void => {
    if (channel === CHANNEL.error) {
      if (data.length === 0) return;
      try {
        finish(readProcessEnd(data));
      } catch (error) {
        violated(ProtocolError.from(error).message);
        return;
      }
      socket.close();
      return;
    }
    const stream =
      channel === CHANNEL.stdout ? stdout : channel === CHANNEL.stderr ? stderr : undefined;
    if (stream === undefined) {
      if (data.length > 0) violated(`channel ${channel} was not asked for`);
      return;
    }
    if (isOver || stream.destroyed || data.length === 0) return;
    if (!stream.push(data)) {
      full.add(stream);
      socket.hold();
    }
  };
  socket.listen((message) => {
    const frame = decodeFrame(message);
    if (frame === undefined) violated("a message without a channel");
    else if (frame.type === "data") receive(frame.channel, frame.data);
  });
  socket.onClosed(({ code, reason }) => {
    finish({
      error: `the connection broke before the process ended: ${reason || `WebSocket code ${code}`}`,
    });
  });

  return {
    ...(stdin && { stdin }),
    ...(stdout && { stdout }),
    ...(stderr && { stderr }),
    resize({ width, height }: TerminalSize) {
      if (!isOver) {
        socket.send(encodeData(CHANNEL.resize, JSON.stringify({ Width: width, Height: height })));
      }
    },
    ended,
    close() {
      finish({ error: "the streams were closed" });
      for (const stream of outputs) stream.destroy();
      socket.close(1000, "", CLOSE_MS);
    },
  };
}

/** For the peer to answer the close of a stream that was let go. */
const CLOSE_MS = 5_000;

function input(socket: MessageSocket): Writable {
  let endSent = false;
  const end = (): void => {
    if (endSent) return;
    endSent = true;
    socket.send(encodeHalfClose(CHANNEL.stdin));
  };
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      // A process that takes no more input is no error of who writes: its end is told by `ended`.
      sendBytes(socket, CHANNEL.stdin, chunk, () => done());
    },
    final(done) {
      end();
      done();
    },
    destroy(error, done) {
      end();
      done(error);
    },
  });
}

function readToEnd(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    stream.once("end", resolve);
    stream.once("close", resolve);
    if (stream.readableEnded || stream.destroyed) resolve();
  });
}
