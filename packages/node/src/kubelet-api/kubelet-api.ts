import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import fastify, { type FastifyBaseLogger, LogController } from "fastify";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { aboutError } from "../pods/about-record.ts";
import type { Authenticate } from "./authentication.ts";
import type { Authorize } from "./authorization.ts";
import type { KubeletBackend, NodeFacts } from "./backend.ts";
import { guard } from "./guard.ts";
import { KubeletError } from "./kubelet-error.ts";
import { podRoutes } from "./pod-routes.ts";
import type { App } from "./routes.ts";
import { runRoute } from "./run-route.ts";
import type { ServingCertificate } from "./serving-certificate.ts";
import { statsRoutes } from "./stats-routes.ts";
import { streamRoutes } from "./stream-routes.ts";
import { Upgrades } from "./upgrades.ts";

export interface KubeletApiOptions {
  /** Default: all interfaces. */
  host?: string;
  /** 0: any free one. */
  port: number;
  certificate: ServingCertificate;
  /** PEM of the CA whose client certificates are believed; without it only bearer tokens are. */
  clientCaPem?: string;
  authenticate: Authenticate;
  authorize: Authorize;
  backend: KubeletBackend;
  node: NodeFacts;
  /** Shown at `/metrics`. */
  metrics: Registry;
  logger: Logger;
  timing?: Partial<KubeletTiming>;
  /** Of exec, attach and port-forward together; more are refused. Default 1000. */
  maxStreamConnections?: number;
}

/** Milliseconds. */
export interface KubeletTiming {
  /** For a client to open the streams that belong together. Default 30 s, as a kubelet. */
  streams: number;
  /** For a terminal's size to arrive before the program starts without. Default 250 ms. */
  size: number;
  /** After which a stream without a byte is closed. Default 4 h, as a kubelet. */
  idle: number;
  /** For which an answer of the site about usage serves all who ask. Default 1 s. */
  statsKept: number;
}

const defaultTiming: KubeletTiming = {
  streams: 30_000,
  size: 250,
  idle: 4 * 3600_000,
  statsKept: 1000,
};
const MAX_STREAM_CONNECTIONS = 1000;
/** A command to execute stands in the query, script and all; as much as Go's servers take. */
const MAX_HEADER_BYTES = 1024 * 1024;
/** Of one part of a path: more than any name has. */
const MAX_NAME_LENGTH = 512;

/** The kubelet's HTTPS API, as far as a virtual node has it. */
export interface KubeletApi extends AsyncDisposable {
  readonly port: number;
  /** Serves new connections with another certificate. */
  useCertificate(certificate: ServingCertificate): void;
  /** Believes client certificates of another CA (PEM) on new connections. */
  useClientCa(clientCaPem: string): void;
  /** Stops listening and cuts what is still open, followed logs and streams included. */
  close(): Promise<void>;
}

/** Listens. Nothing but `/healthz` answers anyone who is not known and allowed by the cluster. */
export async function startKubeletApi(options: KubeletApiOptions): Promise<KubeletApi> {
  const tls = { minVersion: "TLSv1.2", ALPNProtocols: ["http/1.1"] } as const;
  const { backend, logger } = options;
  const timing = { ...defaultTiming, ...options.timing };
  let { certificate, clientCaPem } = options;
  // Without a CA an empty list: else the public ones would be believed.
  const secrets = () => ({ ...certificate, ca: clientCaPem ?? [] });
  // A caller without a certificate may still have a token, so that TLS itself refuses nobody.
  const askCertificate = { requestCert: true, rejectUnauthorized: false };
  const app: App = fastify({
    https: { ...tls, ...askCertificate, ...secrets(), maxHeaderSize: MAX_HEADER_BYTES },
    routerOptions: { maxParamLength: MAX_NAME_LENGTH },
    // A child, so that its bindings say whose lines these are.
    loggerInstance: logger.child({ part: "kubelet-api" }) as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    bodyLimit: 64 * 1024,
  });
  const upgrades = new Upgrades({
    server: app.server,
    handle: (request: IncomingMessage, response: ServerResponse) => app.routing(request, response),
    maxConnections: options.maxStreamConnections ?? MAX_STREAM_CONNECTIONS,
    idleMs: timing.idle,
  });
  guard(app, options);
  answerErrors(app, logger, backend);
  podRoutes(app, backend);
  runRoute(app, backend);
  streamRoutes(app, {
    backend,
    upgrades,
    streamsMs: timing.streams,
    sizeMs: timing.size,
    logger,
  });
  statsRoutes(app, { ...options, keptMs: timing.statsKept });
  await app.listen({ host: options.host ?? everyInterface(), port: options.port });
  const { port } = app.server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const closed = app.close();
    // The server waits for these, and does not know them any more.
    upgrades.close();
    await closed;
  };
  return {
    port,
    useCertificate: (next) => {
      certificate = next;
      app.server.setSecureContext({ ...tls, ...secrets() });
    },
    useClientCa: (next) => {
      clientCaPem = next;
      app.server.setSecureContext({ ...tls, ...secrets() });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** `::` takes IPv4 as well, but cannot be listened on where there is no IPv6 at all. */
function everyInterface(): string {
  const addresses = Object.values(networkInterfaces()).flat();
  return addresses.some((one) => one?.family === "IPv6") ? "::" : "0.0.0.0";
}

/** Which pod a request is about, if its path names one. */
function aboutTarget(params: unknown, backend: KubeletBackend): { pod?: string; uid?: string } {
  const { namespace, pod: name } = (params ?? {}) as { namespace?: string; pod?: string };
  if (namespace === undefined || name === undefined) return {};
  const uid = backend.pod(namespace, name)?.metadata?.uid;
  return { pod: `${namespace}/${name}`, ...(uid === undefined ? {} : { uid }) };
}

function answerErrors(app: App, logger: Logger, backend: KubeletBackend): void {
  app.setErrorHandler(async (error, request, reply) => {
    const known = KubeletError.from(error);
    const status = statusOf(error) ?? known.httpCode;
    if (status >= 500 && known.code === "internal")
      logger.error(
        { ...aboutError(error), ...aboutTarget(request.params, backend), path: request.url },
        "The kubelet API failed.",
      );
    return reply
      .code(status)
      .headers(known.headers)
      .type("text/plain; charset=utf-8")
      .send(known.message);
  });
  app.setNotFoundHandler(async (_request, reply) =>
    reply.code(404).type("text/plain; charset=utf-8").send("404 page not found\n"),
  );
}

/** What fastify itself refuses (a body too large, a path that cannot be decoded) carries its own code. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof KubeletError || !(error instanceof Error)) return undefined;
  const code = "statusCode" in error ? error.statusCode : undefined;
  return typeof code === "number" && code >= 400 ? code : undefined;
}
