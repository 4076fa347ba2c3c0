import type { RemotePodStatus, RetrievedPodData } from "@interlink/protocol";
import type { ContainerHandle, ObservedContainer } from "../runtime/container-runtime.ts";
import type { PodVolumes } from "../volumes/pod-volumes.ts";
import type { EventText } from "./event-texts.ts";
import type { PlannedContainer, PlannedPod } from "./planned-pod.ts";
import type { PodParts } from "./pod-parts.ts";
import type { Attempt, PodRecord } from "./record.ts";
import { containerRecord } from "./record.ts";

/** What the actions of one pod work on. */
export interface PodWork {
  readonly parts: PodParts;
  /** Replaced when the pod's content is updated. */
  plan: PlannedPod;
  readonly jobId: string;
  /** Images made present, by container. */
  readonly images: Map<string, { attempt: number; imageID: string }>;
  /** How far the pulls are that take long, by container: messages for people. */
  readonly pulling: Map<string, string>;
  /** Number of the newest look at the runtime when an attempt was made; by `name attempt`. */
  readonly madeAtTick: Map<string, number>;
  /** Number of the newest look when a stop was over; only a later one can show its effect. By `name attempt`. */
  readonly stoppedAtTick: Map<string, number>;
  /** What the runtime has, by the newest look. */
  observed: readonly ObservedContainer[];
  sandbox: "unknown" | "ready" | "removed";
  /** Kept until the sandbox is ready, then let go: it holds secrets. */
  data?: RetrievedPodData;
  volumes?: PodVolumes;
  /** `dockerconfigjson` contents. */
  pullSecrets?: readonly string[];
  /** Writers of the pod's volumes come one after another. */
  inLine<T>(task: () => Promise<T>): Promise<T>;
  record(): PodRecord;
  change(change: (record: PodRecord) => PodRecord): void;
  /** Durable when it resolves. */
  save(): Promise<void>;
  /** A container was started that the record on disk does not show as running. */
  started(): void;
  tell(event: EventText): void;
  /** Asks for a turn, which also tells the status if it has changed. */
  wake(): void;
  finalStatus(): RemotePodStatus;
}

/** What every log line about the pod says of it. */
export function aboutWork({ plan, jobId }: Pick<PodWork, "plan" | "jobId">): AboutPodJob {
  const { uid, name, namespace } = plan;
  return { uid, pod: `${namespace}/${name}`, job: jobId };
}

export interface AboutPodJob {
  uid: string;
  pod: string;
  job: string;
}

/** The container and its newest attempt, if that is still the one meant. */
export function currentAttempt(
  work: PodWork,
  name: string,
  attempt: number,
): { planned: PlannedContainer; current: Attempt; handle: ContainerHandle } | undefined {
  const planned = plannedContainer(work, name);
  const { current } = containerRecord(work.record(), name);
  if (current?.attempt !== attempt) return undefined;
  const handle = { uid: work.plan.uid, containerName: name, attempt, id: current.id };
  return { planned, current, handle };
}

export function plannedContainer(work: PodWork, name: string): PlannedContainer {
  const planned = work.plan.all.find((container) => container.name === name);
  if (planned === undefined) throw new Error(`The pod has no container ${name}.`);
  return planned;
}
