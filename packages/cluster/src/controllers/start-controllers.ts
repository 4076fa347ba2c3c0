import { JobController } from "../jobs/job-controller.ts";
import { Scheduler } from "../scheduler/scheduler.ts";
import { type CertificateSignerSettings, certificateSigner } from "./certificate-signer.ts";
import type { Controller, ControllerParts } from "./controller.ts";
import { eventExpiry, podGarbageCollector } from "./expiry.ts";
import { GarbageCollector } from "./garbage-collector.ts";
import { namespaceController } from "./namespaces.ts";
import { NodeLifecycle } from "./node-lifecycle.ts";
import { serviceAccountController } from "./service-accounts.ts";

export interface ControllerSettings {
  readonly certificates: CertificateSignerSettings;
  readonly caPem: string;
  /** How long a node may be silent before it is called Unknown, milliseconds. */
  readonly nodeGracePeriodMs: number;
  /** The wait after the first failed pod of a job, milliseconds; doubles with each further one. */
  readonly jobBackoffMs: number;
}

/** Starts what kube-scheduler and kube-controller-manager do in a real cluster; returns what stops it. */
export function startControllers(parts: ControllerParts, settings: ControllerSettings): () => void {
  const controllers: Controller[] = [
    serviceAccountController(parts, settings.caPem),
    namespaceController(parts),
    new GarbageCollector(parts),
    new NodeLifecycle(parts, settings.nodeGracePeriodMs),
    new Scheduler(parts),
    new JobController(parts, settings.jobBackoffMs),
    eventExpiry(parts),
    podGarbageCollector(parts),
    certificateSigner(parts, settings.certificates),
  ];
  for (const controller of controllers) controller.start();
  // So that the first pod of the first user finds its service account.
  for (const controller of controllers) controller.flush?.();
  return () => {
    for (const controller of controllers) controller.stop();
  };
}
