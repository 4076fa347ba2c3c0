import { aboutPod, JOB_ID_ANNOTATION } from "@interlink/protocol";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Logger } from "pino";

declare module "fastify" {
  interface FastifyRequest {
    /** Has every further line of this request name the pod that the message is about, and its job once that is known. */
    concerns(message: unknown): void;
  }
}

/** Gives requests `concerns`. `jobOf`: the job id last heard of for a pod's UID. To be called before routes are added. */
export function nameThePods(
  app: FastifyInstance,
  logger: Logger,
  jobOf: (uid: string) => string | undefined,
): void {
  app.decorateRequest("concerns", function concerns(this: FastifyRequest, message: unknown) {
    const about = aboutPod(message);
    if (about === undefined) return;
    const job = jobOf(about.uid) ?? notedJob(message);
    this.log = logger.child({
      requestId: this.id,
      ...about,
      ...(job === undefined ? {} : { job }),
    }) as FastifyRequest["log"];
  });
}

/**
 * The job noted at a pod that is to be deleted: all that a server knows of a job that began before itself. Only there:
 * a pod to be created may have the annotation from the manifest that it was copied from.
 */
function notedJob(message: unknown): string | undefined {
  const { metadata } = message as {
    metadata?: { annotations?: Record<string, unknown> | null } | null;
  };
  const job = metadata?.annotations?.[JOB_ID_ANNOTATION];
  return typeof job === "string" && job !== "" ? job : undefined;
}
