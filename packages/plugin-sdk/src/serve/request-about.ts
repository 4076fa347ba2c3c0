import { type AboutPod, aboutPod } from "@interlink/protocol";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Provider } from "../provider.ts";
import type { LogScope } from "./log-scope.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** What every log line of this call says of its pod. */
    about: (AboutPod & { job?: string }) | undefined;
  }
}

/** From here on every line of this call says which pod it is about, and which job if there is one. */
export function tellAbout(
  request: FastifyRequest,
  message: unknown,
  provider: Provider,
  scope: LogScope | undefined,
): void {
  const about = aboutPod(message);
  if (about === undefined) return;
  const job = provider.aboutPod?.(about.uid)?.job;
  request.about = { ...about, ...(job !== undefined && { job }) };
  scope?.isAbout(about.uid);
}

/** The provider is called within the scope of its call. */
export function scopeCalls(app: FastifyInstance, scope: LogScope): void {
  app.addHook("preHandler", (request, reply, done) => {
    const { isOver } = scope.begin(request.id, done);
    reply.raw.once("finish", isOver).once("close", isOver);
  });
}
