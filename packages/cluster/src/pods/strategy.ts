import type { Pod, PodSpec, PodStatus } from "kubernetes-types/core/v1.js";
import type { PriorityClass as Priority } from "kubernetes-types/scheduling/v1.js";
import { forbidden } from "../api/api-error.ts";
import { as, clone, type KubeObject } from "../api/object.ts";
import type { AdmissionContext, DeleteOptions, Strategy } from "../resources/definition.ts";
import { defaultPodOnly, defaultPodSpec, type Writable } from "./defaults.ts";
import { podParts } from "./parts.ts";
import { qosClass } from "./qos.ts";
import { admitServiceAccount } from "./service-account.ts";
import { validatePodSpec } from "./validate.ts";
import { validatePodStatusUpdate, validatePodUpdate } from "./validate-update.ts";

type DraftPod = { spec: Writable<PodSpec>; status: Writable<PodStatus> };

function specOf(object: KubeObject): Writable<PodSpec> | undefined {
  return as<Partial<DraftPod>>(object).spec;
}

function prepareForCreate(object: KubeObject): void {
  const spec = specOf(object);
  const status: Writable<PodStatus> = { phase: "Pending" };
  if (spec?.schedulingGates?.length) {
    status.conditions = [
      {
        type: "PodScheduled",
        status: "False",
        reason: "SchedulingGated",
        message: "Scheduling is blocked due to non-empty scheduling gates",
      },
    ];
  }
  object.status = status;
}

function defaults(object: KubeObject): void {
  const spec = specOf(object);
  if (!spec) return;
  defaultPodSpec(spec);
  defaultPodOnly(spec);
}

/** The admission plugins that every cluster has: ServiceAccount, DefaultTolerationSeconds, Priority; then qosClass. */
function admit(object: KubeObject, context: AdmissionContext): void {
  const spec = specOf(object);
  if (!spec) return;
  admitServiceAccount(object, context);
  tolerateNodeFailures(spec);
  setPriority(object, spec, context);
  const status = object.status as Writable<PodStatus>;
  status.qosClass = qosClass({ ...spec, containers: spec.containers ?? [] });
}

const failureTaints = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

function tolerateNodeFailures(spec: Writable<PodSpec>): void {
  for (const key of failureTaints) {
    const tolerated = (spec.tolerations ?? []).some(
      (item) => (item.key === key || !item.key) && (item.effect === "NoExecute" || !item.effect),
    );
    if (tolerated) continue;
    spec.tolerations = [
      ...(spec.tolerations ?? []),
      { key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
    ];
  }
}

const systemPriorities: Readonly<Record<string, number>> = {
  "system-node-critical": 2000001000,
  "system-cluster-critical": 2000000000,
};

function setPriority(object: KubeObject, spec: Writable<PodSpec>, context: AdmissionContext): void {
  const name = spec.priorityClassName;
  let value = 0;
  if (name) {
    const found = context.findIn("scheduling.k8s.io", "priorityclasses", name);
    const known = found ? as<Priority>(found).value : systemPriorities[name];
    if (known === undefined) {
      throw forbidden(
        { group: "", plural: "pods", kind: "Pod" },
        object.metadata.name ?? "",
        `no PriorityClass with name ${name} was found`,
      );
    }
    value = known;
  }
  spec.priority ??= value;
  spec.preemptionPolicy ??= "PreemptLowerPriority";
}

function validate(object: KubeObject, errors: Parameters<typeof validatePodSpec>[2]): void {
  if (specOf(object)?.ephemeralContainers?.length) {
    errors.forbidden("spec.ephemeralContainers", "cannot be set on create");
  }
  validatePodSpec(as<Pod>(object).spec, "spec", errors);
}

/** The two spellings of a pod's address are kept in step (conversion of v1 to internal and back). */
function prepareForStatusUpdate(object: KubeObject, old: KubeObject): void {
  const status = (object.status ?? {}) as Writable<PodStatus>;
  object.status = status;
  const before = as<Pod>(old).status;
  if (!status.qosClass && before?.qosClass) status.qosClass = before.qosClass;
  const { podIP, podIPs } = status;
  if (podIP && podIPs?.[0]?.ip !== podIP) status.podIPs = [{ ip: podIP }];
  else if (!podIP && podIPs?.[0]?.ip) status.podIP = podIPs[0].ip;
}

/** `CheckGracefulDelete` (pkg/registry/core/pod/strategy.go). */
export function podGracePeriod(object: KubeObject, options: DeleteOptions): number {
  const { spec, status } = as<Pod>(object);
  if (!spec?.nodeName || status?.phase === "Failed" || status?.phase === "Succeeded") return 0;
  const period = options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 0;
  return period < 0 ? 1 : period;
}

export const podStrategy: Strategy = {
  prepareForCreate,
  defaults,
  admit,
  validate,
  prepareForUpdate: (object, old) => {
    // Server-side fields of the spec that a client may leave out of a PUT.
    const spec = specOf(object);
    const before = as<Pod>(old).spec;
    // DefaultTolerationSeconds admits updates too: `kubectl apply` writes the list of its manifest, without those.
    if (spec) tolerateNodeFailures(spec);
    if (spec && before?.priority !== undefined) {
      spec.priority ??= before.priority;
      spec.preemptionPolicy ??= clone(before.preemptionPolicy ?? "PreemptLowerPriority");
    }
  },
  validateUpdate: (object, old, errors) => {
    validatePodUpdate(object, old, errors);
  },
  prepareForStatusUpdate,
  validateStatusUpdate: validatePodStatusUpdate,
  parts: podParts,
  gracePeriod: podGracePeriod,
};
