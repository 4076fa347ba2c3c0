import {
  CONTENT_ANNOTATION,
  CREATED_BY_ANNOTATION,
  type RemotePodStatus,
} from "@interlink/protocol";
import type { ContainerState, ContainerStatus } from "kubernetes-types/core/v1.js";
import type { ProbeSummary } from "./decision.ts";
import type { PlannedContainer, PlannedPod } from "./planned-pod.ts";
import { restartsAfter } from "./planned-pod.ts";
import type { Attempt, PodRecord } from "./record.ts";
import { containerRecord } from "./record.ts";
import { hasStarted, progress } from "./start-order.ts";
import { defaultWaiting, troubleOf } from "./waiting.ts";

export interface StatusContext {
  /** `containerID` prefix. */
  runtimeType: string;
  jobId: string;
  hostIP?: string;
  probes: ReadonlyMap<string, ProbeSummary>;
  /** How far the pull of a container's image is, if it takes long. */
  pulling?: ReadonlyMap<string, string>;
  now: number;
  revision: number;
}

/** A pod's whole status, every container of the spec included (kubelet-contract 3.4). */
export function podStatus(
  plan: PlannedPod,
  record: PodRecord,
  context: StatusContext,
): RemotePodStatus {
  const over = isOver(plan, record);
  const status = (planned: PlannedContainer) =>
    containerStatus(plan, record, planned, over, context);
  const { sandbox, deletion, failed } = record;
  const { hostIP, revision } = context;
  const { [CREATED_BY_ANNOTATION]: createdBy, [CONTENT_ANNOTATION]: content } =
    plan.pod.metadata?.annotations ?? {};
  return {
    name: plan.name,
    UID: plan.uid,
    namespace: plan.namespace,
    JID: context.jobId,
    containers: plan.regular.map(status),
    initContainers: plan.init.map(status),
    extension: {
      revision,
      ...(createdBy !== undefined && { createdBy }),
      ...(content !== undefined && { content }),
      ...(sandbox && { podIPs: [...sandbox.podIPs], sandboxReadyAt: rfc3339(sandbox.readyAt) }),
      ...(hostIP !== undefined && { hostIP }),
      ...(plan.ephemeral.length > 0 && { ephemeralContainers: plan.ephemeral.map(status) }),
      ...(deletion && { deleting: true }),
      ...(failed && { failed: { ...failed } }),
    },
  };
}

/** Nothing of this pod starts any more. */
export function isOver(plan: PlannedPod, record: PodRecord): boolean {
  return (
    record.deletion !== undefined ||
    record.eviction !== undefined ||
    record.failed !== undefined ||
    progress(plan, record).finished
  );
}

function containerStatus(
  plan: PlannedPod,
  record: PodRecord,
  planned: PlannedContainer,
  over: boolean,
  context: StatusContext,
): ContainerStatus {
  const { name, container, kind } = planned;
  const own = containerRecord(record, name);
  const { current, previous } = own;
  const started = hasStarted(current, planned);
  const probes = context.probes.get(name);
  const ready =
    kind === "init"
      ? current?.state === "exited" && current.exitCode === 0
      : kind !== "ephemeral" && started && isReady(planned, current, probes);
  const exited = current?.state === "exited" ? current : undefined;
  const mayRestart = (attempt: Attempt) =>
    restartsAfter(planned, plan.restartPolicy, attempt.exitCode ?? 137);
  const isExchanged = exited?.stop?.reason === "changed" && !over;
  const restarts = exited !== undefined && !over && (isExchanged || mayRestart(exited));
  const wanted = current === undefined || restarts;
  const trouble = wanted && !over ? troubleOf(plan, planned, record, context.now) : undefined;
  const id = (attempt: Attempt) => `${context.runtimeType}://${attempt.id}`;

  let state: ContainerState;
  let last = previous;
  if (current?.state === "running") {
    state = { running: { startedAt: rfc3339(current.startedAt ?? context.now) } };
  } else if (trouble !== undefined) {
    state = { waiting: trouble };
    last = exited ?? previous;
  } else if (isExchanged) {
    state = { waiting: defaultWaiting(plan) };
    last = exited;
  } else if (exited !== undefined) {
    state = { terminated: terminated(exited, id(exited)) };
  } else {
    const message = context.pulling?.get(name);
    state = { waiting: { ...defaultWaiting(plan), ...(message !== undefined && { message }) } };
  }
  // That a container which may not restart has ended would end its pod for good, and API servers would refuse its
  // return: how it ended is told when the next one runs.
  const ownEnd = last?.stop?.reason === "changed" && !over && !mayRestart(last);
  if (ownEnd && current?.state !== "running") last = undefined;
  // What is created but has not started is told with its start: nobody acts on it, and each telling is a write.
  const begun = current?.state === "created" ? undefined : current;
  return {
    name,
    state,
    lastState: last?.state === "exited" ? { terminated: terminated(last, id(last)) } : {},
    ready,
    ...(kind !== "ephemeral" && {
      started: kind === "init" ? current?.state === "running" : started,
    }),
    restartCount: current?.attempt ?? 0,
    image: begun?.image ?? container.image ?? "",
    imageID: begun?.imageID ?? "",
    ...(begun !== undefined && { containerID: id(begun) }),
  };
}

function isReady(
  { container }: PlannedContainer,
  attempt: Attempt | undefined,
  probes: ProbeSummary | undefined,
): boolean {
  if (container.readinessProbe === undefined) return true;
  if (probes !== undefined && probes.attempt === attempt?.attempt) return probes.ready;
  return attempt?.ready === true;
}

function terminated(
  attempt: Attempt,
  containerID: string,
): NonNullable<ContainerState["terminated"]> {
  const { exitCode = 137, reason = "Error", message, startedAt, finishedAt } = attempt;
  return {
    exitCode,
    reason,
    ...(message && { message }),
    ...(startedAt !== undefined && { startedAt: rfc3339(startedAt) }),
    ...(finishedAt !== undefined && { finishedAt: rfc3339(finishedAt) }),
    containerID,
  };
}

/** Seconds precision, as Kubernetes writes its times; more would make every status a new one. */
export function rfc3339(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
