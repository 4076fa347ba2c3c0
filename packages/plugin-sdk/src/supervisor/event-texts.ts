import { goDuration } from "./back-off.ts";
import type { PlannedPod } from "./planned-pod.ts";
import type { StopReason } from "./record.ts";

/** An event before it has a pod and a time. */
export interface EventText {
  type: "Normal" | "Warning";
  reason: string;
  message: string;
  container?: string;
}

const normal = (reason: string, message: string, container?: string): EventText =>
  text("Normal", reason, message, container);
const warning = (reason: string, message: string, container?: string): EventText =>
  text("Warning", reason, message, container);

function text(type: EventText["type"], reason: string, message: string, container?: string) {
  return { type, reason, message, ...(container !== undefined && { container }) };
}

/** `POD_NS(UID)`, as a kubelet names a pod in messages. */
export function podLabel(plan: Pick<PlannedPod, "name" | "namespace" | "uid">): string {
  return `${plan.name}_${plan.namespace}(${plan.uid})`;
}

/** A kubelet's events in its words (`pkg/kubelet/events`, 1.31 to 1.34 forms). */
export const eventTexts = {
  pulling: (container: string, image: string) =>
    normal("Pulling", `Pulling image "${image}"`, container),
  /** Times in milliseconds; `withWaiting` counts from when the image was wanted. */
  pulled: (
    container: string,
    image: string,
    milliseconds: number,
    withWaiting: number,
    bytes: number | undefined,
  ) => {
    const time = goDuration(milliseconds);
    const size = bytes === undefined ? "" : ` Image size: ${bytes} bytes.`;
    return normal(
      "Pulled",
      `Successfully pulled image "${image}" in ${time} (${goDuration(withWaiting)} including waiting).${size}`,
      container,
    );
  },
  present: (container: string, image: string) =>
    normal("Pulled", `Container image "${image}" already present on machine`, container),
  /** `code` is the waiting reason. */
  imageFailed: (container: string, image: string, code: string, message: string): EventText[] => {
    const failed = warning("Failed", `Error: ${code}`, container);
    if (code === "ErrImageNeverPull") {
      const never = `Container image "${image}" is not present with pull policy of Never`;
      return [warning("ErrImageNeverPull", never, container), failed];
    }
    if (code === "InvalidImageName") {
      // The message is the kubelet's whole sentence, as in the container's state.
      return [warning("InspectFailed", message, container), failed];
    }
    return [warning("Failed", `Failed to pull image "${image}": ${message}`, container), failed];
  },
  imageBackOff: (container: string, image: string): EventText[] => [
    normal("BackOff", `Back-off pulling image "${image}"`, container),
    warning("Failed", "Error: ImagePullBackOff", container),
  ],
  created: (container: string) => normal("Created", `Created container: ${container}`, container),
  started: (container: string) => normal("Started", `Started container ${container}`, container),
  failed: (container: string, message: string) => warning("Failed", `Error: ${message}`, container),
  crashBackOff: (plan: PlannedPod, container: string) =>
    warning(
      "BackOff",
      `Back-off restarting failed container ${container} in pod ${podLabel(plan)}`,
      container,
    ),
  killing: (container: string, reason: StopReason) => {
    if (reason === "liveness" || reason === "startup") {
      const message = `Container ${container} failed ${reason} probe, will be restarted`;
      return normal("Killing", message, container);
    }
    if (reason === "changed") {
      return normal(
        "Killing",
        `Container ${container} definition changed, will be restarted`,
        container,
      );
    }
    if (reason === "postStart") return normal("Killing", "FailedPostStartHook", container);
    return normal("Killing", `Stopping container ${container}`, container);
  },
  postStartFailed: (container: string) =>
    warning("FailedPostStartHook", "PostStartHook failed", container),
  preStopFailed: (container: string) =>
    warning("FailedPreStopHook", "PreStopHook failed", container),
  unhealthy: (container: string, probe: "startup" | "liveness" | "readiness", output: string) => {
    const title = `${probe[0]?.toUpperCase()}${probe.slice(1)}`;
    return warning("Unhealthy", `${title} probe failed: ${output}`, container);
  },
  probeWarning: (container: string, probe: string, output: string) => {
    const title = `${probe[0]?.toUpperCase()}${probe.slice(1)}`;
    return warning("ProbeWarning", `${title} probe warning: ${output}`, container);
  },
  sandboxFailed: (message: string) =>
    warning("FailedCreatePodSandBox", `Failed to create pod sandbox: ${message}`),
  sandboxChanged: () =>
    normal("SandboxChanged", "Pod sandbox changed, it will be killed and re-created."),
  evicted: (message: string) => warning("Evicted", message),
  volumesFailed: (message: string) => warning("FailedMount", message),
};
