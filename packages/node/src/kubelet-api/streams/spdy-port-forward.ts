import type { Duplex } from "node:stream";
import { SpdySession } from "../spdy/session.ts";
import type { SpdyStream } from "../spdy/stream.ts";
import type { ForwardPair } from "./forward-port.ts";

/** Two for each connection that a client has open at once. */
const MAX_STREAMS = 2048;

interface Waiting {
  data?: SpdyStream;
  error?: SpdyStream;
  timer: NodeJS.Timeout;
}

/**
 * A client's port-forward: for each connection it opens a stream `error` and a stream `data`, told apart by `port` and
 * `requestid`. Hands over each pair; one whose other half does not come in time is told so. Resolves when the client
 * has left.
 */
export async function spdyPortForward(
  socket: Duplex,
  pairMs: number,
  forward: (port: number, pair: ForwardPair) => void,
): Promise<void> {
  const waiting = new Map<string, Waiting>();
  const late = (id: string): void => {
    const { data, error } = waiting.get(id) ?? {};
    waiting.delete(id);
    error?.end("timed out waiting for the streams of a connection");
    data?.destroy();
  };
  const session = new SpdySession({
    socket,
    maxStreams: MAX_STREAMS,
    admit: (headers) => {
      const type = headers.get("streamtype")?.[0];
      return (
        (type === "data" || type === "error") && portOf(headers.get("port")?.[0]) !== undefined
      );
    },
    opened: (stream) => {
      const id = requestId(stream);
      const pair = waiting.get(id) ?? { timer: setTimeout(() => late(id), pairMs) };
      const type = stream.header("streamtype") === "data" ? "data" : "error";
      if (pair[type] !== undefined) {
        stream.destroy();
        return;
      }
      pair[type] = stream;
      waiting.set(id, pair);
      const { data, error, timer } = pair;
      if (data === undefined || error === undefined) return;
      clearTimeout(timer);
      waiting.delete(id);
      const port = portOf(data.header("port"));
      if (port !== undefined) forward(port, { data, error });
    },
  });
  await session.closed;
  for (const { timer } of waiting.values()) clearTimeout(timer);
}

function portOf(text = ""): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** Old clients send none: they open the error stream first, and the data stream next to it. */
function requestId(stream: SpdyStream): string {
  const given = stream.header("requestid");
  if (given !== "") return given;
  return String(stream.header("streamtype") === "error" ? stream.id : stream.id - 2);
}
