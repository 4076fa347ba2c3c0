import type { PlannedContainer, PlannedPod } from "./planned-pod.ts";
import { restartsAfter } from "./planned-pod.ts";
import type { Attempt, PodRecord } from "./record.ts";
import { containerRecord, isLost } from "./record.ts";

/** Where a pod stands on its way through its containers. */
export interface Progress {
  /** Containers that should be running and are not, in the order in which they start. */
  readonly wanted: readonly PlannedContainer[];
  /** Ephemeral ones among them that were never started: each for itself, whatever the others wait for. */
  readonly ephemeral: readonly PlannedContainer[];
  /** Nothing but sidecars can ever run again. */
  readonly finished: boolean;
}

/** Running, postStart hook over, startup probe passed. */
export function hasStarted(attempt: Attempt | undefined, planned: PlannedContainer): boolean {
  if (attempt?.state !== "running") return false;
  if (planned.container.lifecycle?.postStart !== undefined && !attempt.postStartDone) return false;
  return planned.container.startupProbe === undefined || attempt.startupDone === true;
}

/** Where the pod stands (kubelet-contract 3.6). Ephemeral containers are started once, while anything may still run. */
export function progress(plan: PlannedPod, record: PodRecord): Progress {
  const main = mainProgress(plan, record);
  if (main.finished) return { ...main, ephemeral: [] };
  const ephemeral = plan.ephemeral.filter(({ name }) => {
    const { current } = containerRecord(record, name);
    return current === undefined || current.state === "created";
  });
  return { ...main, ephemeral };
}

/** Init containers in order, sidecars kept running beside them, then all regular ones. */
function mainProgress(plan: PlannedPod, record: PodRecord): Omit<Progress, "ephemeral"> {
  const current = (planned: PlannedContainer) => containerRecord(record, planned.name).current;
  // In a sandbox that is new nothing has begun yet, whatever ended well in the one before. But a pod that never restarts
  // does not begin anew (Kubernetes `kuberuntime_manager.go` computePodActions).
  const ofNow = (planned: PlannedContainer) => {
    const attempt = current(planned);
    if (plan.restartPolicy === "Never") return attempt;
    return attempt && isLost(record, planned.name, attempt) ? undefined : attempt;
  };
  const wants = (planned: PlannedContainer) => {
    const attempt = current(planned);
    if (attempt === undefined || attempt.state === "created") return true;
    if (attempt.state === "running") return false;
    if (attempt.stop?.reason === "changed") return true;
    return restartsAfter(planned, plan.restartPolicy, attempt.exitCode ?? 137);
  };

  const wanted: PlannedContainer[] = [];
  const begun = plan.regular.some((planned) => ofNow(planned) !== undefined)
    ? plan.init.length
    : plan.init.findLastIndex((planned) => ofNow(planned) !== undefined);
  for (const [index, planned] of plan.init.entries()) {
    const attempt = ofNow(planned);
    if (index < begun) {
      // Passed before; only a sidecar is still of interest.
      if (planned.kind === "sidecar" && wants(planned)) wanted.push(planned);
      continue;
    }
    if (planned.kind === "sidecar") {
      if (wants(planned)) wanted.push(planned);
      if (!hasStarted(attempt, planned)) return { wanted, finished: false };
      continue;
    }
    if (attempt === undefined) {
      wanted.push(planned);
      return { wanted, finished: false };
    }
    const exited = attempt.state === "exited";
    if (exited && attempt.exitCode === 0) continue;
    if (exited && !wants(planned)) return { wanted: [], finished: true };
    if (wants(planned)) wanted.push(planned);
    return { wanted, finished: false };
  }

  const finished = plan.regular.every(
    (planned) => current(planned)?.state === "exited" && !wants(planned),
  );
  if (finished) return { wanted: [], finished };
  return { wanted: [...wanted, ...plan.regular.filter(wants)], finished };
}
