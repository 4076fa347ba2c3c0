import { Duplex } from "node:stream";

/**
 * A client's end of a WebSocket as a plain connection, for a subprotocol that the library's client refuses to ask for.
 * Only for short, whole, binary messages.
 */
export function binaryMessages(socket: Duplex): Duplex {
  let pending = Buffer.alloc(0);
  const messages = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      const head = Buffer.alloc(8);
      head.writeUInt16BE(0x82fe);
      head.writeUInt16BE(chunk.length, 2);
      // A mask of zeros changes nothing.
      socket.write(Buffer.concat([head, chunk]), done);
    },
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on("error", () => undefined);
  socket.on("close", () => messages.destroy());
  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2) {
      const short = pending.readUInt8(1);
      const head = short === 126 ? 4 : 2;
      if (pending.length < head) return;
      const length = short === 126 ? pending.readUInt16BE(2) : short;
      if (pending.length < head + length) return;
      messages.push(pending.subarray(head, head + length));
      pending = pending.subarray(head + length);
    }
  });
  return messages;
}
