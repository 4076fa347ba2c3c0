import type { Logger } from "pino";
import type { NodeMetrics } from "./node-metrics.ts";
import type { PingResult } from "./registration/ping-loop.ts";
import type { RemoteListener } from "./remote/remote-site.ts";

/**
 * What the status connection says of the site: into the log, the metrics, and at once into a ping, so that the node's
 * condition does not lag behind.
 */
export function connectionTold(
  logger: Logger,
  metrics: NodeMetrics,
  pingNow: () => void,
): RemoteListener["connection"] {
  let was: string | undefined;
  return (state, err) => {
    if (state === was) return;
    was = state;
    pingNow();
    metrics.siteConnected(state === "connected");
    if (state === "connected") {
      logger.info("the site tells how the pods are");
      return;
    }
    metrics.siteLost();
    logger.warn({ err }, "the site does not tell how the pods are; connecting again");
  };
}

/** Calls `answers` at the first ping that is answered after one that was not. */
export function whenAnsweredAgain(answers: () => void): (result: PingResult) => void {
  let failed = false;
  return ({ ok }) => {
    if (ok && failed) answers();
    failed = !ok;
  };
}
