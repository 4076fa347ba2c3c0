import {
  aboutPod,
  type CallOptions,
  httpStatusOf,
  type InterlinkClient,
  inSpan,
  type OperationName,
  ProtocolError,
  podAttributes,
  requestIdFor,
} from "@interlink/protocol";
import type { Attributes, Tracer } from "@opentelemetry/api";
import type { Logger } from "pino";

export interface ObserveOptions {
  logger: Logger;
  /** Without: no spans. */
  tracer?: Tracer | undefined;
  /** The pod's job, for lines about it; `undefined` while it has none. */
  jobOf?: (uid: string) => string | undefined;
  /** Told of every call: `code` is the HTTP status, or the one that the failure would be answered with. */
  called?: (operation: OperationName, code: number, seconds: number) => void;
}

/**
 * Names of the spans of the existing virtual node (reference: wire and node, section 9): what is done, and the call for it;
 * and of those that it does not have. Streams count until they have begun.
 */
const SPANS = {
  CreatePod: ["CreatePodVK", "CreateHttpCall"],
  UpdatePod: ["UpdatePodVK", "UpdateHttpCall"],
  DeletePod: ["DeletePodVK", "DeleteHttpCall"],
  GetStatus: ["GetPodStatusVK", "StatusHttpCall"],
  GetLogs: ["GetLogsVK", "LogHttpCall"],
  GetStats: ["GetStatsSummaryVK", "StatsHttpCall"],
  PingInterLink: ["PingHttpCall"],
  UpdateCache: ["UpdateCacheHttpCall"],
  Exec: ["ExecHttpCall"],
  Attach: ["AttachHttpCall"],
  PortForward: ["PortForwardHttpCall"],
} as const satisfies Partial<Record<OperationName, readonly string[]>>;

/**
 * The client, with a request id that is this node's own for every call: in a debug line with the pod, as `requestId` of
 * every error, on the wire, and so in the lines of all hops; and with spans, if there is a tracer.
 */
export function observedClient(
  client: InterlinkClient,
  { logger, tracer, called, jobOf = () => undefined }: ObserveOptions,
): InterlinkClient {
  async function observed<T>(
    operation: keyof typeof SPANS,
    message: unknown,
    options: CallOptions | undefined,
    call: (options: CallOptions) => Promise<T>,
  ): Promise<T> {
    const requestId = requestIdFor(operation, options?.requestId);
    const attributes: Attributes = podAttributes(message);
    const started = performance.now();
    const pod = aboutPod(message);
    const job = pod && jobOf(pod.uid);
    const about = { requestId, ...pod, ...(job && { job }) };
    try {
      const [outer, inner] = SPANS[operation] as readonly [string, string?];
      const work = () => call({ ...options, requestId });
      const answer = await inSpan(tracer, outer, attributes, () =>
        inner === undefined ? work() : inSpan(tracer, inner, attributes, work),
      );
      const ms = Math.round(performance.now() - started);
      called?.(operation, 200, ms / 1000);
      logger.debug({ ...about, operation, ms, ...newJob(answer) }, "the site answered");
      return answer;
    } catch (error) {
      // Whoever logs it says with it which request it was.
      if (error instanceof ProtocolError) error.requestId ??= requestId;
      const code = httpStatusOf(ProtocolError.from(error));
      called?.(operation, code, (performance.now() - started) / 1000);
      logger.debug({ ...about, operation, err: error }, "the site did not answer as asked");
      throw error;
    }
  }

  return {
    ...client,
    create: (data, options) =>
      observed("CreatePod", data, options, (call) => client.create(data, call)),
    update: (data, options) =>
      observed("UpdatePod", data, options, (call) => client.update(data, call)),
    delete: (pod, options) =>
      observed("DeletePod", pod, options, (call) => client.delete(pod, call)),
    status: (pods, options) =>
      observed("GetStatus", pods, options, (call) => client.status(pods, call)),
    logs: (request, options) =>
      observed("GetLogs", request, options, (call) => client.logs(request, call)),
    exec: (request, options) =>
      observed("Exec", request, options, (call) => client.exec(request, call)),
    attach: (request, options) =>
      observed("Attach", request, options, (call) => client.attach(request, call)),
    portForward: (request, options) =>
      observed("PortForward", request, options, (call) => client.portForward(request, call)),
    stats: (options) => observed("GetStats", undefined, options, (call) => client.stats(call)),
    ping: (options) => observed("PingInterLink", undefined, options, (call) => client.ping(call)),
    updateCache: (uid, options) =>
      observed("UpdateCache", undefined, options, (call) => client.updateCache(uid, call)),
  };
}

function newJob(answer: unknown): { job?: string } {
  if (typeof answer !== "object" || answer === null || !("PodJID" in answer)) return {};
  return { job: String(answer.PodJID) };
}
