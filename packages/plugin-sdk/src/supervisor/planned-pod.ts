import type { Container, EphemeralContainer, Pod } from "kubernetes-types/core/v1.js";
import type { Attempt } from "./record.ts";

export type ContainerKind = "init" | "sidecar" | "regular" | "ephemeral";

export interface PlannedContainer {
  readonly name: string;
  readonly kind: ContainerKind;
  readonly container: Container;
  /** Of an ephemeral one: the container whose processes it is to see. */
  readonly target?: string;
}

export type RestartPolicy = "Always" | "OnFailure" | "Never";

/** A pod as the pure core sees it: containers with their kinds, defaults filled in. */
export interface PlannedPod {
  readonly pod: Pod;
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  /** Init containers and sidecars, in spec order. */
  readonly init: readonly PlannedContainer[];
  readonly regular: readonly PlannedContainer[];
  /** Added to the running pod (`kubectl debug`); nothing depends on them. */
  readonly ephemeral: readonly PlannedContainer[];
  /** Init first, then regular, then ephemeral. */
  readonly all: readonly PlannedContainer[];
  readonly restartPolicy: RestartPolicy;
  /** `terminationGracePeriodSeconds`, at least 1 as a kubelet reads it. */
  readonly graceSeconds: number;
}

/** An init container with `restartPolicy: Always` is a sidecar (Kubernetes 1.28 and later). */
export function planPod(pod: Pod): PlannedPod {
  const { uid = "", name = "", namespace = "default" } = pod.metadata ?? {};
  const init = (pod.spec?.initContainers ?? []).map((container): PlannedContainer => {
    const kind = container.restartPolicy === "Always" ? "sidecar" : "init";
    return { name: container.name, kind, container };
  });
  const regular = (pod.spec?.containers ?? []).map(
    (container): PlannedContainer => ({ name: container.name, kind: "regular", container }),
  );
  const ephemeral = (pod.spec?.ephemeralContainers ?? []).map(planEphemeral);
  const policy = pod.spec?.restartPolicy;
  return {
    pod,
    uid,
    name,
    namespace,
    init,
    regular,
    ephemeral,
    all: [...init, ...regular, ...ephemeral],
    restartPolicy: policy === "Never" || policy === "OnFailure" ? policy : "Always",
    graceSeconds: Math.max(1, pod.spec?.terminationGracePeriodSeconds ?? 30),
  };
}

/** Without what the API forbids for it, whoever has sent it. */
function planEphemeral(spec: EphemeralContainer): PlannedContainer {
  const container: Container = { ...spec };
  for (const field of NOT_EPHEMERAL) delete container[field];
  const { targetContainerName: target } = spec;
  return { name: spec.name, kind: "ephemeral", container, ...(target && { target }) };
}

const NOT_EPHEMERAL = [
  "ports",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
  "resources",
  "restartPolicy",
] as const;

/** Whether the spec names another image by now than the one that this attempt was made of. */
export function isOfOtherImage({ container }: PlannedContainer, attempt: Attempt): boolean {
  return attempt.image !== undefined && attempt.image !== (container.image ?? "");
}

/** Of containers since Kubernetes 1.34; the type package does not know them yet. */
interface ContainerRestarts {
  restartPolicy?: string;
  restartPolicyRules?: {
    action?: string;
    exitCodes?: { operator?: string; values?: number[] };
  }[];
}

/**
 * Whether an ended container runs again, its pod being neither deleted nor finished: its own rules go before its own
 * policy, and that before the pod's (Kubernetes `pkg/kubelet/container/helpers.go` ShouldContainerBeRestarted).
 */
export function restartsAfter(
  { kind, container }: Pick<PlannedContainer, "kind" | "container">,
  podPolicy: RestartPolicy,
  exitCode: number,
): boolean {
  if (kind === "sidecar") return true;
  if (kind === "ephemeral") return false;
  // An init container that is through is through, whatever the policy.
  if (kind === "init" && exitCode === 0) return false;
  const { restartPolicy, restartPolicyRules = [] }: ContainerRestarts = container;
  const isAsked = restartPolicyRules.some(
    ({ action, exitCodes: { operator, values = [] } = {} }) => {
      if (action !== "Restart") return false;
      return operator === "In"
        ? values.includes(exitCode)
        : operator === "NotIn" && !values.includes(exitCode);
    },
  );
  const policy = restartPolicy ?? podPolicy;
  return isAsked || policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}
