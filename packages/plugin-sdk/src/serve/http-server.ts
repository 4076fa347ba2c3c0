import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { ListenAddress } from "./options.ts";

const LIMITS = {
  /** Peers keep idle connections for 120 s; closing them earlier would race with their next call. */
  keepAliveTimeout: 150_000,
  /** To send a whole request; its head sooner. */
  requestTimeout: 60_000,
  headersTimeout: 10_000,
  /** How late those two may be. */
  connectionsCheckingInterval: 5_000,
  /** The words of an exec are in its URL; as much as a Go server takes. */
  maxHeaderSize: 1024 * 1024,
};
const MAX_CONNECTIONS = 8_192;

/** The HTTP server of a plugin's door, with certificates if it has some. It does not listen yet. */
export function createHttpServer(listen: ListenAddress, handler: RequestListener): Server {
  const server = plainOrTls(listen, handler);
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

function plainOrTls(listen: ListenAddress, handler: RequestListener): Server {
  if (!("tls" in listen) || listen.tls === undefined) return createServer(LIMITS, handler);
  const { cert, key, clientCa } = listen.tls;
  const own = { ...LIMITS, cert, key, minVersion: "TLSv1.2", handshakeTimeout: 10_000 } as const;
  return clientCa === undefined
    ? createTlsServer(own, handler)
    : createTlsServer(
        { ...own, ca: clientCa, requestCert: true, rejectUnauthorized: true },
        handler,
      );
}
