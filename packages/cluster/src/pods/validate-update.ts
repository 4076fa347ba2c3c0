import type { ContainerStatus, Pod, PodSpec, Toleration } from "kubernetes-types/core/v1.js";
import type { FieldErrors } from "../api/field-errors.ts";
import { as, clone, type KubeObject, sameJson } from "../api/object.ts";
import type { Writable } from "./defaults.ts";

const immutableText =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/** `ValidatePodUpdate`: the few fields of a pod's spec that may change. */
export function validatePodUpdate(object: KubeObject, old: KubeObject, errors: FieldErrors): void {
  // A patch may have taken the whole spec away.
  const next = as<Pod>(object).spec ?? { containers: [] };
  const before = as<Pod>(old).spec as PodSpec;
  for (const field of ["containers", "initContainers"] as const) {
    if ((next[field] ?? []).length !== (before[field] ?? []).length) {
      errors.forbidden(`spec.${field}`, "pod updates may not add or remove containers");
      return;
    }
    for (const [index, container] of (next[field] ?? []).entries()) {
      if (!container.image) errors.required(`spec.${field}[${index}].image`);
    }
  }
  validateDeadline(next, before, errors);
  if (!onlyAdds(next.tolerations ?? [], before.tolerations ?? [])) {
    errors.forbidden(
      "spec.tolerations",
      "existing toleration can not be modified except its tolerationSeconds",
    );
  }
  const munged = withMutableFields(next, before);
  if (!sameJson(munged, before)) errors.forbidden("spec", immutableText);
}

/** The new spec with every mutable field as it was before: what still differs may not change. */
function withMutableFields(next: PodSpec, before: PodSpec): Writable<PodSpec> {
  const munged = clone<unknown>(next) as Writable<PodSpec>;
  for (const field of ["containers", "initContainers"] as const) {
    for (const [index, container] of (munged[field] ?? []).entries()) {
      const image = before[field]?.[index]?.image;
      if (image !== undefined) container.image = image;
    }
  }
  copy(munged, before, "activeDeadlineSeconds");
  copy(munged, before, "tolerations");
  const grace = before.terminationGracePeriodSeconds;
  if (grace !== undefined && grace < 0 && next.terminationGracePeriodSeconds === 1) {
    munged.terminationGracePeriodSeconds = grace;
  }
  const gates = new Set((before.schedulingGates ?? []).map((gate) => gate.name));
  if ((next.schedulingGates ?? []).every((gate) => gates.has(gate.name))) {
    copy(munged, before, "schedulingGates");
  }
  return munged;
}

function copy(to: object, from: object, field: string): void {
  const value = (from as Record<string, unknown>)[field];
  if (value === undefined) delete (to as Record<string, unknown>)[field];
  else (to as Record<string, unknown>)[field] = value;
}

function validateDeadline(next: PodSpec, before: PodSpec, errors: FieldErrors): void {
  const path = "spec.activeDeadlineSeconds";
  const { activeDeadlineSeconds: deadline } = next;
  const old = before.activeDeadlineSeconds;
  if (deadline === undefined) {
    if (old !== undefined) {
      errors.invalid(path, "null", "must not update from a positive integer to nil value");
    }
  } else if (deadline < 0 || deadline > 2147483647) {
    errors.invalid(path, deadline, "must be between 0 and 2147483647, inclusive");
  } else if (old !== undefined && deadline > old) {
    errors.invalid(path, deadline, "must be less than or equal to previous value");
  }
}

function onlyAdds(next: readonly Toleration[], before: readonly Toleration[]): boolean {
  const plain = (item: Toleration): object => ({ ...item, tolerationSeconds: undefined });
  return before.every((old) => next.some((item) => sameJson(plain(item), plain(old))));
}

/** `ValidatePodStatusUpdate`. */
export function validatePodStatusUpdate(
  object: KubeObject,
  old: KubeObject,
  errors: FieldErrors,
): void {
  const { spec, status = {} } = as<Pod>(object);
  const before = as<Pod>(old).status ?? {};
  if (before.qosClass !== undefined && status.qosClass !== before.qosClass) {
    errors.invalid("status.qosClass", status.qosClass ?? "", "field is immutable");
  }
  const observed = (status as { observedGeneration?: number }).observedGeneration;
  if (observed !== undefined && observed < 0) {
    errors.invalid("status.observedGeneration", observed, "must be greater than or equal to 0");
  }
  validateIps("status.podIPs", status.podIPs, errors);
  validateIps("status.hostIPs", status.hostIPs, errors);
  if (status.hostIPs?.[0] && status.hostIPs[0].ip !== status.hostIP) {
    errors.invalid("status.hostIPs[0].ip", status.hostIPs[0].ip ?? "", "must be equal to `hostIP`");
  }
  const sidecars = new Set(
    (spec?.initContainers ?? [])
      .filter((container) => container.restartPolicy === "Always")
      .map((container) => container.name),
  );
  const policy = spec?.restartPolicy ?? "Always";
  for (const field of ["containerStatuses", "initContainerStatuses"] as const) {
    const path = `status.${field}`;
    const was = (before[field] ?? []).filter((item) => !sidecars.has(item.name));
    validateTransitions(path, status[field] ?? [], was, policy, errors);
  }
}

/** A container that ended and may not be restarted stays ended. */
function validateTransitions(
  path: string,
  next: readonly ContainerStatus[],
  before: readonly ContainerStatus[],
  policy: string,
  errors: FieldErrors,
): void {
  if (policy === "Always") return;
  for (const old of before) {
    const ended = old.state?.terminated;
    if (!ended || (ended.exitCode !== 0 && policy === "OnFailure")) continue;
    const index = next.findIndex((item) => item.name === old.name);
    if (index >= 0 && !next[index]?.state?.terminated) {
      errors.forbidden(
        `${path}[${index}].state`,
        "may not be transitioned to non-terminated state",
      );
    }
  }
}

const ipPattern = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$/;

function validateIps(
  path: string,
  ips: readonly { ip?: string }[] | undefined,
  errors: FieldErrors,
): void {
  const seen = new Set<string>();
  for (const [index, { ip = "" }] of (ips ?? []).entries()) {
    if (!ipPattern.test(ip)) {
      errors.invalid(
        `${path}[${index}]`,
        ip,
        "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
      );
    } else if (seen.has(ip)) errors.duplicate(`${path}[${index}]`, { ip });
    seen.add(ip);
  }
}
