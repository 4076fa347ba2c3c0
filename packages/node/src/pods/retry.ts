import { type BackoffOptions, backoffMs } from "@interlink/kube";
import type { Step } from "./next-step.ts";
import type { PodContext } from "./pod-context.ts";
import type { PodRecord } from "./pod-record.ts";

/** Notes a failed try of one kind of step: that kind is not tried again before the back-off is over. */
export function retryLater(
  record: PodRecord,
  step: Step["do"],
  backoff: BackoffOptions,
  { now, random }: Pick<PodContext, "now" | "random">,
): void {
  const failures = (record.retry?.step === step ? record.retry.failures : 0) + 1;
  record.retry = { step, failures, at: now() + backoffMs(backoff, failures, random()) };
}
