import { isKubeError, type KubeClient, paths } from "@interlink/kube";
import type { Node, Taint } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";
import { taintPatch } from "./node-patches.ts";
import { taintId } from "./site-offer.ts";

export interface TaintWriterOptions {
  client: KubeClient;
  nodeName: string;
  /** NodeRestriction forbids a node its own taints, whatever the roles say: it is not even asked. */
  restricted: boolean;
  /** How long after a refusal it is asked again, milliseconds. */
  refusedMs: number;
  now: () => Date;
  logger: Logger;
}

/**
 * Keeps our taints on the node. A cluster that refuses it is asked again after a while: an API server that has just
 * started knows no roles yet, and roles change.
 */
export class TaintWriter {
  readonly #options: TaintWriterOptions;
  #refusedUntilMs = 0;

  constructor(options: TaintWriterOptions) {
    this.#options = options;
  }

  /**
   * The node as it is afterwards, and whether to look again at once because somebody else wrote meanwhile. Throws
   * KubeError for everything but a conflict and a refusal.
   */
  async write(
    live: Node,
    wanted: readonly Taint[],
    signal: AbortSignal,
  ): Promise<{ live: Node; again: boolean }> {
    const { client, nodeName, restricted, now } = this.#options;
    const patch = taintPatch(live, wanted);
    const unchanged = { live, again: false };
    if (patch === undefined || now().getTime() < this.#refusedUntilMs) return unchanged;
    if (restricted) {
      this.#refused(wanted);
      return unchanged;
    }
    const path = paths.nodes.named(nodeName);
    try {
      const patched = await client.patch<Node>(path, "strategic-merge", patch, { signal });
      this.#refusedUntilMs = 0;
      return { live: patched, again: false };
    } catch (error) {
      if (isKubeError(error, "conflict"))
        return { live: await client.get<Node>(path, { signal }), again: true };
      if (!isKubeError(error, "forbidden")) throw error;
      this.#refused(wanted, error);
      return unchanged;
    }
  }

  #refused(wanted: readonly Taint[], err?: Error): void {
    const { now, refusedMs, logger } = this.#options;
    if (this.#refusedUntilMs === 0)
      logger.warn(
        { ...(err === undefined ? {} : { err }), wanted: wanted.map(taintId) },
        "This node may not change its taints, which are to be others: let an administrator do it with kubectl taint.",
      );
    this.#refusedUntilMs = now().getTime() + refusedMs;
  }
}
