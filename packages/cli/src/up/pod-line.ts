import type { ContainerStatus, Pod } from "kubernetes-types/core/v1.js";

/** What `kubectl get pods` would show in the STATUS column, and the sentence behind it if there is one. */
export interface PodLine {
  state: string;
  message: string;
}

/** Rules: kubernetes pkg/printers/internalversion/printers.go, printPod. */
export function podLine(pod: Pod): PodLine {
  const status = pod.status ?? {};
  const line: PodLine = {
    state: status.reason ?? status.phase ?? "Pending",
    message: status.message ?? "",
  };
  const why = initLine(pod) ?? containersLine(status.containerStatuses ?? []);
  if (why !== undefined) {
    line.state = why.state;
    line.message = why.message || line.message;
  }
  if (pod.metadata?.deletionTimestamp !== undefined) line.state = "Terminating";
  return line;
}

/** The first init container that holds the pod up, if one does. */
function initLine(pod: Pod): PodLine | undefined {
  const sidecars = new Set(
    (pod.spec?.initContainers ?? [])
      .filter(({ restartPolicy }) => restartPolicy === "Always")
      .map(({ name }) => name),
  );
  const inits = pod.status?.initContainerStatuses ?? [];
  const index = inits.findIndex((init) =>
    sidecars.has(init.name)
      ? !init.started && !init.state?.terminated
      : init.state?.terminated?.exitCode !== 0,
  );
  const init = inits[index];
  if (init === undefined) return undefined;
  const { state, message } = containerLine(init);
  const counting = state === "Running" || state === "PodInitializing";
  const total = pod.spec?.initContainers?.length ?? inits.length;
  return { state: counting ? `Init:${index}/${total}` : `Init:${state}`, message };
}

/** The first container that does not run speaks for all; when some have completed and others run, the pod runs. */
function containersLine(containers: readonly ContainerStatus[]): PodLine | undefined {
  const lines = containers.map(containerLine);
  const stopped = lines.find(({ state }) => state !== "Running");
  if (stopped?.state === "Completed" && lines.some(({ state }) => state === "Running")) {
    return { state: "Running", message: "" };
  }
  return stopped;
}

function containerLine({ state }: ContainerStatus): PodLine {
  if (state?.waiting) {
    return { state: state.waiting.reason ?? "Waiting", message: state.waiting.message ?? "" };
  }
  if (state?.terminated) {
    const { reason, exitCode, message } = state.terminated;
    const code = exitCode === 0 ? "" : ` (exit code ${exitCode})`;
    return { state: `${reason ?? "Terminated"}${code}`, message: message ?? "" };
  }
  return { state: "Running", message: "" };
}
