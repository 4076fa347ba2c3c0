import type { RemotePodEvent } from "@interlink/protocol";
import type { Logger } from "pino";
import type { Dispatcher } from "undici";
import type { JobStore } from "../jobs/job-store.ts";
import type { ProviderListener } from "../provider.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import type { VolumeResolver } from "../volumes/pod-volumes.ts";
import type { Checkpoint } from "./checkpoints.ts";
import type { Clock } from "./clock.ts";
import type { EventText } from "./event-texts.ts";
import type { Limit } from "./limit.ts";
import type { PlannedPod } from "./planned-pod.ts";
import type { PodRecord } from "./record.ts";

/** What the supervisors of one provider share. */
export interface PodParts {
  runtime: ContainerRuntime;
  store: JobStore<PodRecord>;
  clock: Clock;
  logger: Logger;
  listener: ProviderListener;
  checkpoint: (step: Checkpoint) => void;
  resolveVolume?: VolumeResolver;
  hostIP?: string;
  /** For HTTP probes and hooks. */
  dispatcher: Dispatcher;
  /** Short steps at the runtime. */
  steps: Limit;
  pulls: Limit;
  /** Jitter; 0 ≤ random < 1. */
  random: () => number;
  /** Have the runtime asked about this pod soon. */
  refresh: (uid: string) => void;
  /** Number of the newest look at the runtime. */
  tick: () => number;
  /** The pod is gone for good, its data removed. */
  gone: (uid: string) => void;
}

export function podEvent(plan: PlannedPod, event: EventText, now: number): RemotePodEvent {
  const { uid: UID, name, namespace } = plan;
  return { UID, name, namespace, ...event, at: new Date(now).toISOString() };
}
