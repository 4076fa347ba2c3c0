import type { Server } from "node:https";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** The kubelet API's HTTP server. */
export type App = FastifyInstance<Server>;

/** The query as the sender wrote it: values may repeat. */
export function queryOf(request: FastifyRequest): URLSearchParams {
  return new URLSearchParams((request.raw.url ?? "").replace(/^[^?]*/, ""));
}

export async function sendText(reply: FastifyReply, text: string): Promise<FastifyReply> {
  return reply.type("text/plain; charset=utf-8").send(text);
}
