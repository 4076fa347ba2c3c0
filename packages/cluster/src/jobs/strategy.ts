import type { Job, JobSpec } from "kubernetes-types/batch/v1.js";
import type { FieldErrors } from "../api/field-errors.ts";
import { as, type KubeObject, sameJson } from "../api/object.ts";
import { defaultPodSpec, type Writable } from "../pods/defaults.ts";
import { validatePodSpec } from "../pods/validate.ts";
import type { Strategy } from "../resources/definition.ts";

type DraftSpec = Writable<JobSpec>;

function specOf(object: KubeObject): DraftSpec | undefined {
  return as<{ spec?: DraftSpec }>(object).spec;
}

/** `SetDefaults_Job` (pkg/apis/batch/v1/defaults.go). */
function defaults(object: KubeObject): void {
  const spec = specOf(object);
  if (!spec) return;
  if (spec.completions === undefined && spec.parallelism === undefined) {
    spec.completions = 1;
    spec.parallelism = 1;
  }
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2147483647;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed";
  if (spec.template?.spec) defaultPodSpec(spec.template.spec);
}

/** The selector is the job's own uid, in the new and the old spelling of the labels (`generateSelector`). */
function generateSelector(object: KubeObject): void {
  const spec = specOf(object);
  if (!spec || spec.manualSelector) return;
  const uid = object.metadata.uid ?? "";
  const name = object.metadata.name ?? "";
  spec.template ??= {};
  spec.template.metadata ??= {};
  spec.template.metadata.labels = {
    ...spec.template.metadata.labels,
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": name,
    "controller-uid": uid,
    "job-name": name,
  };
  spec.selector ??= {};
  spec.selector.matchLabels = {
    ...spec.selector.matchLabels,
    "batch.kubernetes.io/controller-uid": uid,
  };
}

function notNegative(value: number | undefined, path: string, errors: FieldErrors): void {
  if (value !== undefined && value < 0) {
    errors.invalid(path, value, "must be greater than or equal to 0");
  }
}

function validate(object: KubeObject, errors: FieldErrors): void {
  const spec = as<Job>(object).spec;
  if (!spec) {
    errors.required("spec.template");
    return;
  }
  for (const field of [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
  ] as const) {
    notNegative(spec[field], `spec.${field}`, errors);
  }
  const modes = ["NonIndexed", "Indexed"];
  if (spec.completionMode && !modes.includes(spec.completionMode)) {
    errors.notSupported("spec.completionMode", spec.completionMode, modes);
  }
  if (spec.completionMode === "Indexed" && spec.completions === undefined) {
    errors.required("spec.completions", "when completion mode is Indexed");
  }
  const policy = spec.template?.spec?.restartPolicy;
  const policies = ["OnFailure", "Never"];
  if (policy !== undefined && !policies.includes(policy)) {
    errors.notSupported("spec.template.spec.restartPolicy", policy, policies);
  }
  validatePodSpec(spec.template?.spec, "spec.template.spec", errors);
}

const immutableFields = ["completions", "selector", "completionMode", "podFailurePolicy"] as const;

export const jobStrategy: Strategy = {
  prepareForCreate: (object) => {
    object.status = {};
    generateSelector(object);
  },
  defaults,
  validate,
  validateUpdate: (object, old, errors) => {
    validate(object, errors);
    const next = as<Job>(object).spec;
    const before = as<Job>(old).spec;
    for (const field of immutableFields) {
      const same = sameJson(next?.[field], before?.[field]);
      const elastic =
        field === "completions" &&
        next?.completionMode === "Indexed" &&
        next.completions === next.parallelism;
      if (!same && !elastic)
        errors.invalid(`spec.${field}`, next?.[field] ?? null, "field is immutable");
    }
    if (!before?.suspend && !sameJson(next?.template, before?.template)) {
      errors.invalid("spec.template", next?.template ?? null, "field is immutable");
    }
  },
};
