import { ProtocolError, parseJson, readDeleteRequest } from "@interlink/protocol";
import type { FastifyInstance } from "fastify";
import { ANY_METHOD } from "../http/app.ts";
import { bodyBytes } from "../http/body.ts";
import type { LastSeen } from "../status/last-seen.ts";

/** `POST /updateCache`: forget what was last seen of a pod. Old servers want its bare UID, old callers send the pod. */
export function updateCacheRoute(app: FastifyInstance, seen: LastSeen): void {
  app.route({
    method: ANY_METHOD,
    url: "/updateCache",
    handler: async (request, reply) => {
      seen.forget(uidOf(bodyBytes(request).toString("utf8").trim()));
      reply.code(200).type("text/plain; charset=utf-8");
      return "Updated cache";
    },
  });
}

/** The UID in a bare body, a JSON string or a pod. Throws ProtocolError `invalid`. */
function uidOf(body: string): string {
  const bare = body.startsWith('"') ? parseJson(body) : body;
  if (typeof bare === "string" && /^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/.test(bare)) return bare;
  if (body.startsWith("{")) return readDeleteRequest(parseJson(body)).metadata?.uid ?? "";
  throw new ProtocolError("invalid", "update cache: the body must be a pod's UID, or the pod");
}
