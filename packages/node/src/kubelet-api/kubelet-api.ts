import type { Server } from "node:https";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import type { TLSSocket } from "node:tls";
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from "fastify";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Authenticate } from "./authentication.ts";
import type { Authorize } from "./authorization.ts";
import { type KubeletBackend, KubeletError } from "./backend.ts";
import { parseLogOptions } from "./log-options.ts";
import { sendLog } from "./log-stream.ts";
import { checkLogTarget } from "./log-target.ts";
import { requestAttributes } from "./request-attributes.ts";
import type { ServingCertificate } from "./serving-certificate.ts";

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
  /** Shown at `/metrics`. */
  metrics: Registry;
  logger: Logger;
}

/** The kubelet's HTTPS API, as far as a virtual node has it. */
export interface KubeletApi extends AsyncDisposable {
  readonly port: number;
  /** Serves new connections with another certificate. */
  useCertificate(certificate: ServingCertificate): void;
  /** Stops listening and cuts what is still open, followed logs included. */
  close(): Promise<void>;
}

/** Listens. Nothing but `/healthz` answers anyone who is not known and allowed by the cluster. */
export async function startKubeletApi(options: KubeletApiOptions): Promise<KubeletApi> {
  const tls = { minVersion: "TLSv1.2", ALPNProtocols: ["http/1.1"] } as const;
  const { clientCaPem } = options;
  const askCertificate =
    clientCaPem === undefined
      ? {}
      : // A caller without one may still have a token, so that TLS itself refuses nobody.
        { ca: clientCaPem, requestCert: true, rejectUnauthorized: false };
  const app: FastifyInstance<Server> = fastify({
    https: { ...tls, ...options.certificate, ...askCertificate },
    // A child, so that its bindings say whose lines these are.
    loggerInstance: options.logger.child({ part: "kubelet-api" }) as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    bodyLimit: 64 * 1024,
  });
  guard(app, options);
  routes(app, options);
  await app.listen({ host: options.host ?? everyInterface(), port: options.port });
  const { port } = app.server.address() as AddressInfo;
  const close = (): Promise<void> => app.close();
  return {
    port,
    useCertificate: (certificate) =>
      app.server.setSecureContext({
        ...certificate,
        ...(clientCaPem === undefined ? {} : { ca: clientCaPem }),
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** `::` takes IPv4 as well, but cannot be listened on where there is no IPv6 at all. */
function everyInterface(): string {
  const addresses = Object.values(networkInterfaces()).flat();
  return addresses.some((one) => one?.family === "IPv6") ? "::" : "0.0.0.0";
}

/** Routes that answer anyone. */
const openRoutes: ReadonlySet<string> = new Set(["/healthz", "/healthz/ping"]);

function guard(app: FastifyInstance<Server>, options: KubeletApiOptions): void {
  const { authenticate, authorize, logger } = options;
  app.addHook("onRequest", async (request) => {
    // By the route that will answer, not by the path: the two can be read differently (`/a/../healthz/x`).
    const route = request.routeOptions.url ?? pathOf(request);
    if (openRoutes.has(route)) return;
    const socket = request.raw.socket as TLSSocket;
    const user = await authenticate({
      socket,
      authorization: request.headers.authorization,
    }).catch((error: unknown) => {
      logger.warn({ err: error }, "A caller of the kubelet API could not be identified.");
      return undefined;
    });
    if (user === undefined) throw new KubeletError("unauthenticated", "Unauthorized");
    await authorize(user, requestAttributes(request.method, route));
  });
  app.setErrorHandler(async (error, _request, reply) => {
    const known = KubeletError.from(error);
    const status = statusOf(error) ?? known.httpCode;
    if (status >= 500 && known.code === "internal")
      logger.error({ err: error }, "The kubelet API failed.");
    return reply.code(status).type("text/plain; charset=utf-8").send(known.message);
  });
  app.setNotFoundHandler(async (_request, reply) =>
    reply.code(404).type("text/plain; charset=utf-8").send("404 page not found\n"),
  );
}

function routes(app: FastifyInstance<Server>, options: KubeletApiOptions): void {
  const { backend, metrics } = options;
  for (const path of openRoutes)
    app.get(path, async (_request, reply) => reply.type("text/plain; charset=utf-8").send("ok"));
  for (const path of ["/pods", "/pods/"]) app.get(path, async () => podList(backend.pods()));
  for (const path of ["/runningpods", "/runningpods/"])
    app.get(path, async () => podList(backend.pods().filter(isRunning).map(runtimeView)));
  app.get("/metrics", async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.metrics()),
  );
  app.get<{ Params: Record<"namespace" | "pod" | "container", string> }>(
    "/containerLogs/:namespace/:pod/:container",
    async (request, reply) => {
      const { namespace, pod: podName, container } = request.params;
      const wanted = parseLogOptions(queryOf(request));
      const pod = backend.pod(namespace, podName);
      checkLogTarget(pod, podName, container, wanted.previous);
      const left = new AbortController();
      reply.raw.once("close", () => left.abort(new Error("the reader left")));
      const log = backend.logs(pod, container, wanted, left.signal);
      try {
        await sendLog(log, reply.raw, wanted.limitBytes, left.signal);
        reply.hijack();
      } finally {
        left.abort(new Error("the log was sent"));
      }
    },
  );
  for (const name of ["exec", "attach", "portForward", "run", "checkpoint", "stats"])
    app.all(`/${name}/*`, async () => {
      throw new KubeletError("not-implemented", `This virtual node does not offer ${name} yet.`);
    });
}

/** The path as it came: nothing in it is resolved or decoded. */
function pathOf(request: FastifyRequest): string {
  return (request.raw.url ?? "/").replace(/\?.*$/s, "");
}

function queryOf(request: FastifyRequest): URLSearchParams {
  return new URLSearchParams((request.raw.url ?? "").replace(/^[^?]*/, ""));
}

/** What fastify itself refuses (a body too large, a path that cannot be decoded) carries its own code. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof KubeletError || !(error instanceof Error)) return undefined;
  const code = "statusCode" in error ? error.statusCode : undefined;
  return typeof code === "number" && code >= 400 ? code : undefined;
}

function podList(items: Pod[]): object {
  return { kind: "PodList", apiVersion: "v1", metadata: {}, items };
}

function isRunning(pod: Pod): boolean {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  return [...containerStatuses, ...initContainerStatuses].some((one) => one.state?.running);
}

/** As much of a pod as a container runtime would know. */
function runtimeView(pod: Pod): Pod {
  const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
  const containers = (pod.spec?.containers ?? []).map(({ name: container, image = "" }) => ({
    name: container,
    image,
  }));
  return { metadata: { name, namespace, uid }, spec: { containers } };
}
