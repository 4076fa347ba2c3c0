import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { TEST_CERTIFICATE, TEST_KEY } from "./tls.ts";

interface RecordedRequest {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}

/** A plain node:http server that notes every request and answers as it is told. */
export interface RecordingPeer extends AsyncDisposable {
  readonly address: string;
  readonly requests: RecordedRequest[];
  /** Connections accepted so far. */
  connections(): number;
}

export type Answerer = (request: RecordedRequest, response: ServerResponse) => void;

export async function startRecordingPeer(
  answer: Answerer,
  where: { unixSocket?: string; tls?: boolean } = {},
): Promise<RecordingPeer> {
  const requests: RecordedRequest[] = [];
  const sockets = new Set<Socket>();
  let accepted = 0;
  const onRequest = (incoming: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const request = {
        method: incoming.method ?? "",
        url: incoming.url ?? "",
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      };
      requests.push(request);
      answer(request, response);
    });
  };
  const server =
    where.tls === true
      ? createTlsServer({ cert: TEST_CERTIFICATE, key: TEST_KEY }, onRequest)
      : createServer(onRequest);
  server.on("connection", (socket: Socket) => {
    accepted++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    if (where.unixSocket === undefined) server.listen(0, "127.0.0.1", resolve);
    else server.listen(where.unixSocket, resolve);
  });
  const address =
    where.unixSocket === undefined
      ? `${where.tls === true ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`
      : `unix://${where.unixSocket}`;
  return {
    address,
    requests,
    connections: () => accepted,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
