import type { ContainerStatus, Pod } from "kubernetes-types/core/v1.js";
import { age } from "./duration.ts";

export interface PodSummary {
  ready: string;
  status: string;
  restarts: string;
}

interface Totals {
  restarts: number;
  lastRestart: string;
}

function addRestarts(totals: Totals, status: ContainerStatus): void {
  totals.restarts += status.restartCount ?? 0;
  const finished = status.lastState?.terminated?.finishedAt ?? "";
  if (finished > totals.lastRestart) totals.lastRestart = finished;
}

function exitText(terminated: { signal?: number; exitCode: number }): string {
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`;
}

function hasCondition(pod: Pod, type: string): boolean {
  return (pod.status?.conditions ?? []).some(
    (condition) => condition.type === type && condition.status === "True",
  );
}

/** The READY, STATUS and RESTARTS of a pod, by the rules of `printPod` (pkg/printers/internalversion). */
export function podSummary(pod: Pod, now: number): PodSummary {
  const spec = pod.spec;
  const status = pod.status ?? {};
  const phase = status.phase ?? "";
  const sidecars = new Set(
    (spec?.initContainers ?? [])
      .filter((container) => container.restartPolicy === "Always")
      .map((container) => container.name),
  );
  let reason = status.reason || phase;
  const gated = (status.conditions ?? []).some(
    (condition) => condition.type === "PodScheduled" && condition.reason === "SchedulingGated",
  );
  if (gated) reason = "SchedulingGated";

  let ready = 0;
  const initTotals: Totals = { restarts: 0, lastRestart: "" };
  let totals: Totals = { restarts: 0, lastRestart: "" };
  let initReason: string | undefined;
  const initCount = spec?.initContainers?.length ?? 0;
  for (const [index, container] of (status.initContainerStatuses ?? []).entries()) {
    addRestarts(initTotals, container);
    if (sidecars.has(container.name)) addRestarts(totals, container);
    const { terminated, waiting } = container.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (sidecars.has(container.name) && container.started) {
      if (container.ready) ready += 1;
      continue;
    }
    if (terminated) initReason = `Init:${terminated.reason || exitText(terminated)}`;
    else if (waiting?.reason && waiting.reason !== "PodInitializing") {
      initReason = `Init:${waiting.reason}`;
    } else initReason = `Init:${index}/${initCount}`;
    break;
  }

  if (initReason !== undefined) reason = initReason;
  if (initReason === undefined || hasCondition(pod, "Initialized")) {
    let running = false;
    for (const container of (status.containerStatuses ?? []).toReversed()) {
      addRestarts(totals, container);
      const { waiting, terminated } = container.state ?? {};
      if (waiting?.reason) reason = waiting.reason;
      else if (terminated) reason = terminated.reason || exitText(terminated);
      else if (container.ready && container.state?.running) {
        running = true;
        ready += 1;
      }
    }
    if (reason === "Completed" && running) {
      reason = hasCondition(pod, "Ready") ? "Running" : "NotReady";
    }
  } else {
    totals = initTotals;
  }

  if (pod.metadata?.deletionTimestamp) {
    if (status.reason === "NodeLost") reason = "Unknown";
    else if (phase !== "Failed" && phase !== "Succeeded") reason = "Terminating";
  }
  const total = (spec?.containers?.length ?? 0) + sidecars.size;
  const restarts =
    totals.restarts > 0 && totals.lastRestart !== ""
      ? `${totals.restarts} (${age(totals.lastRestart, now)} ago)`
      : String(totals.restarts);
  return { ready: `${ready}/${total}`, status: reason, restarts };
}
