import type { TLSSocket } from "node:tls";
import type { FastifyRequest } from "fastify";
import type { Logger } from "pino";
import type { Authenticate } from "./authentication.ts";
import type { Authorize } from "./authorization.ts";
import { KubeletError } from "./kubelet-error.ts";
import { requestAttributes } from "./request-attributes.ts";
import { type App, sendText } from "./routes.ts";

export interface GuardOptions {
  authenticate: Authenticate;
  authorize: Authorize;
  logger: Logger;
}

/** Routes that answer anyone. */
const openRoutes: ReadonlySet<string> = new Set([
  "/healthz",
  "/healthz/ping",
  "/healthz/log",
  "/healthz/syncloop",
]);

/** Lets nobody in who is not known and allowed by the cluster, upgrades included, but to ask for health. */
export function guard(app: App, { authenticate, authorize, logger }: GuardOptions): void {
  for (const path of openRoutes) app.get(path, async (_request, reply) => sendText(reply, "ok"));
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
}

/** The path as it came: nothing in it is resolved or decoded. */
function pathOf(request: FastifyRequest): string {
  return (request.raw.url ?? "/").replace(/\?.*$/s, "");
}
