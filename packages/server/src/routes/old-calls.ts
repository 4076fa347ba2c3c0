import type { FastifyInstance } from "fastify";
import { ANY_METHOD } from "../http/app.ts";

/**
 * Two calls of the first design, whose virtual node ends at any answer but 200. `POST /ping` every ten seconds: later
 * nodes of it read a number in the answer, 0 for "all is well". `POST /setKubeCFG` brings credentials for the cluster, which an
 * API server has no use for: they are neither kept nor logged.
 */
export function oldCallsRoutes(app: FastifyInstance): void {
  for (const [url, answer] of [
    ["/ping", "0"],
    ["/setKubeCFG", "200"],
  ] as const) {
    app.route({
      method: ANY_METHOD,
      url,
      handler: (_request, reply) => reply.code(200).type("text/plain; charset=utf-8").send(answer),
    });
  }
}
