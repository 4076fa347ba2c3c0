import { type PodCreateRequest, readCreateRequest, writeCreateAnswer } from "@interlink/protocol";
import type { FastifyInstance } from "fastify";
import { pullSecretsOf, retrievedPodData } from "../create/retrieved-pod-data.ts";
import { ANY_METHOD } from "../http/app.ts";
import { readBody } from "../http/body.ts";
import { callerSignal } from "../http/caller.ts";
import { withJobScript } from "../job-script/job-script-builder.ts";
import type { ServerContext } from "../options.ts";
import type { PluginOffers } from "../plugin/plugin-capabilities.ts";
import type { LastSeen } from "../status/last-seen.ts";

/**
 * `POST /create`: judge, resolve the mounts, hand it to the plugin once. Not repeated here: create is idempotent by
 * UID and the virtual node repeats it. The answer is exactly 200, which Go virtual nodes insist on.
 */
export function createRoute(
  app: FastifyInstance,
  context: ServerContext,
  capabilities: PluginOffers,
  seen: LastSeen,
): void {
  app.route({
    method: ANY_METHOD,
    url: "/create",
    bodyLimit: context.limits.createBytes,
    handler: async (request, reply) => {
      const wanted = readBody(request, readCreateRequest);
      const { uid = "" } = wanted.pod.metadata ?? {};
      context.checkpoint("server.create.received");
      const signal = callerSignal(reply, context.cut);
      // Only for this is the plugin asked what it offers; it would hold up every other create.
      const offered = isForSome(wanted)
        ? await capabilities.recent(signal, { uid, pod: wanted.pod })
        : undefined;
      const data = await withJobScript(
        retrievedPodData(wanted, offered),
        wanted.jobscriptURL,
        context.jobScriptBuilder,
        signal,
      );
      context.checkpoint("server.create.before-plugin");
      const answer = await context.plugin.create(data, { signal, requestId: request.id });
      context.checkpoint("server.create.after-plugin");
      if (answer.PodUID !== "" && answer.PodUID !== uid) {
        request.log.warn({ answered: answer.PodUID }, "the plugin answered with another pod's UID");
      }
      seen.created(uid, answer.PodJID);
      request.concerns(wanted);
      request.log.info("created");
      reply.code(200).type("application/json");
      // Go virtual nodes record the job id only under the pod's own UID; some plugins leave it out.
      return writeCreateAnswer({ ...answer, PodUID: answer.PodUID === "" ? uid : answer.PodUID });
    },
  });
}

/** Whether it holds what only plugins are given that say that they take it. */
function isForSome(wanted: PodCreateRequest): boolean {
  const { ephemeralContainers } = wanted.pod.spec ?? {};
  return (ephemeralContainers ?? []).length > 0 || pullSecretsOf(wanted) !== undefined;
}
