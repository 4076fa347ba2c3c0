import { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { decodeFrame, encodeData, encodeHalfClose, PORT_CHANNEL } from "./frame.ts";
import { type MessageSocket, sendBytes } from "./message-socket.ts";
import type { PortConnection } from "./messages.ts";

const BUFFER_BYTES = 256 * 1024;
/** For the peer to answer a close when the connection has broken. */
const CLOSE_MS = 5_000;

/**
 * The connection at the other end of the socket; the same on both sides. Destroying it with an error tells the other
 * side the words; a socket that breaks destroys it.
 */
export function portChannel(socket: MessageSocket): PortConnection {
  let hasEnded = false;
  const connection: Duplex = new Duplex({
    allowHalfOpen: true,
    highWaterMark: BUFFER_BYTES,
    read() {
      socket.release();
    },
    write(chunk: Buffer, _encoding, done) {
      sendBytes(socket, PORT_CHANNEL.data, chunk, done);
    },
    final(done) {
      socket.send(encodeHalfClose(PORT_CHANNEL.data), done);
    },
    destroy(error, done) {
      if (error !== null) socket.send(encodeData(PORT_CHANNEL.error, error.message));
      // Whole both ways: the peer may take its time to read what is still on its way.
      if (hasEnded && connection.writableFinished) socket.close();
      else socket.close(error === null ? 1001 : 1011, "", CLOSE_MS);
      done(error);
    },
  });
  const fail = (words: string): void => {
    connection.destroy(new Error(words));
  };
  socket.listen((message) => {
    const frame = decodeFrame(message);
    if (frame === undefined) fail("a message without a channel");
    else if (frame.channel === PORT_CHANNEL.error && frame.type === "data") {
      if (frame.data.length > 0) fail(frame.data.toString("utf8"));
    } else if (frame.channel !== PORT_CHANNEL.data) fail(`there is no channel ${frame.channel}`);
    else if (frame.type === "half-close") {
      if (!hasEnded) connection.push(null);
      hasEnded = true;
    } else if (hasEnded) fail("data after the end");
    else if (!connection.push(frame.data)) socket.hold();
  });
  socket.onClosed(({ code, reason }) => {
    if (hasEnded && connection.writableFinished) connection.destroy();
    else fail(`the connection broke: ${reason || `WebSocket code ${code}`}`);
  });
  return connection;
}

/** Puts a connection at this end of the socket. Resolves when both have ended. Never rejects. */
export async function servePort(socket: MessageSocket, connection: PortConnection): Promise<void> {
  const channel = portChannel(socket);
  await Promise.allSettled([pipeline(channel, connection), pipeline(connection, channel)]);
  channel.destroy();
  connection.destroy();
  await socket.closed;
}
