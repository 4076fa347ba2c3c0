import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { CertificateAuthority } from "../certificates/authority.ts";

export interface FakeKubelet extends AsyncDisposable {
  readonly port: number;
  /** Paths with query that were asked for, in order. */
  readonly asked: string[];
}

/** A kubelet's HTTPS port that asks for the API server's certificate and answers as it is told. */
export async function fakeKubelet(
  clientCaPem: string,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  upgrade?: (request: IncomingMessage, socket: Duplex) => void,
): Promise<FakeKubelet> {
  const authority = await CertificateAuthority.create("kubelet", Date.now());
  const serving = await authority.issue({ commonName: "node", hosts: ["127.0.0.1"] }, Date.now());
  const asked: string[] = [];
  const server = createServer(
    {
      key: serving.keyPem,
      cert: serving.certificatePem,
      ca: clientCaPem,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => {
      asked.push(request.url ?? "");
      answer(request, response);
    },
  );
  const sockets = new Set<Duplex>();
  if (upgrade !== undefined) {
    server.on("upgrade", (request, socket: Duplex) => {
      asked.push(request.url ?? "");
      sockets.add(socket.on("error", () => undefined));
      upgrade(request, socket);
    });
  }
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
