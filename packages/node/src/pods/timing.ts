import type { BackoffOptions } from "@interlink/kube";

/** Every wait of the pod machinery. Milliseconds. */
export interface PodTiming {
  /** Between tries of create and delete at a site that does not take them. */
  siteRetry: BackoffOptions;
  /** Between looks for an object that a pod waits for; usually its watch is faster. */
  objectRetry: BackoffOptions;
  /** Between questions whether an accepted delete is done; usually the site tells first. */
  confirm: BackoffOptions;
  /** How long a pod's job must have been unknown to the site, between two answers, to be lost. */
  lostAfterMs: number;
  /** The same for peers of the base protocol, whose answers are less sure. */
  baseLostAfterMs: number;
  /**
   * For peers of the base protocol: how long a create whose outcome is not known may still be on its way. They may run
   * a second one as a second job.
   */
  baseSettleMs: number;
  /** After a change of what a running pod names, before it is read anew; up to twice that. */
  updateSettleMs: number;
  /** Between tries to tell the site of such a change. */
  updateRetry: BackoffOptions;
  /** Between the two looks for the pod of a job that seems to have none. */
  orphanAfterMs: number;
}

/** What a node goes by that is told nothing else. */
export const DEFAULT_POD_TIMING: PodTiming = {
  siteRetry: { firstMs: 500, capMs: 60_000, jitter: 0.5 },
  objectRetry: { firstMs: 1000, capMs: 30_000, jitter: 0.5 },
  confirm: { firstMs: 1000, capMs: 10_000, jitter: 0.5 },
  lostAfterMs: 10_000,
  baseLostAfterMs: 120_000,
  baseSettleMs: 30_000,
  updateSettleMs: 250,
  updateRetry: { firstMs: 1000, capMs: 120_000, jitter: 0.5 },
  orphanAfterMs: 10_000,
};
