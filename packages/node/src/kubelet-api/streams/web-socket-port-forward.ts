import { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { KubeletError } from "../kubelet-error.ts";
import { ChannelSocket } from "./channel-socket.ts";
import type { ForwardPair } from "./forward-port.ts";
import type { WebSocketProtocol } from "./protocols.ts";

const MAX_PORTS = 32;

/** The ports that a client names in the query, since its messages cannot. Throws KubeletError. */
export function webSocketPorts(query: URLSearchParams): number[] {
  const given = query.getAll("port").flatMap((value) => value.split(","));
  if (given.length === 0) {
    throw new KubeletError("bad-request", 'query parameter "port" is required');
  }
  if (given.length > MAX_PORTS) {
    throw new KubeletError("bad-request", `no more than ${MAX_PORTS} ports are forwarded at once`);
  }
  return given.map((text) => {
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (port < 1 || port > 65_535) {
      throw new KubeletError("bad-request", `unable to parse ${JSON.stringify(text)} as a port`);
    }
    return port;
  });
}

/**
 * Port number i has the channels 2i for its bytes and 2i+1 for errors; each begins with the port itself, as a check.
 * There is no half-close, so that a connection is over when the pod ends it. Resolves when all are, or the client left.
 */
export async function webSocketPortForward(
  webSocket: WebSocket,
  protocol: WebSocketProtocol,
  ports: readonly number[],
  forward: (port: number, pair: ForwardPair) => Promise<void>,
): Promise<void> {
  const socket = new ChannelSocket(webSocket, protocol);
  const forwarded = ports.map((port, index) => {
    const readable = socket.reader(2 * index);
    const writable = socket.writer(2 * index);
    const data: Duplex = Duplex.from({ readable, writable });
    data.on("error", () => undefined);
    // The pod's end is the end of both directions.
    writable.once("finish", () => readable.push(null));
    const error = socket.writer(2 * index + 1);
    const head = Buffer.alloc(2);
    head.writeUInt16LE(port);
    void socket.send(2 * index, head);
    void socket.send(2 * index + 1, head);
    return forward(port, { data, error });
  });
  socket.start();
  await Promise.race([Promise.all(forwarded), socket.closed]);
  await socket.close();
}
