import type { FieldErrors } from "../api/field-errors.ts";
import type { KubeObject } from "../api/object.ts";
import type { ResourceDefinition } from "../resources/definition.ts";
import {
  labelNameProblems,
  labelValueProblems,
  pathSegmentProblems,
  qualifiedNameProblems,
  serviceNameProblems,
  subdomainProblems,
} from "./names.ts";

const maxAnnotationBytes = 256 * 1024;

function nameRule(definition: ResourceDefinition): (text: string) => string[] {
  if (definition.group === "rbac.authorization.k8s.io") return pathSegmentProblems;
  if (definition.group === "" && definition.plural === "services") return serviceNameProblems;
  if (definition.group === "" && definition.plural === "namespaces") return labelNameProblems;
  return subdomainProblems;
}

/** `ValidateObjectMeta`. */
export function validateMetadata(
  definition: ResourceDefinition,
  object: KubeObject,
  errors: FieldErrors,
): void {
  const { metadata } = object;
  if (!metadata.name) {
    errors.required("metadata.name", "name or generateName is required");
  } else {
    for (const problem of nameRule(definition)(metadata.name)) {
      errors.invalid("metadata.name", metadata.name, problem);
    }
  }
  validateLabels(metadata.labels, "metadata.labels", errors);
  validateAnnotations(metadata.annotations, errors);
  for (const [index, finalizer] of (metadata.finalizers ?? []).entries()) {
    for (const problem of qualifiedNameProblems(finalizer)) {
      errors.invalid(`metadata.finalizers[${index}]`, finalizer, problem);
    }
  }
  let controllers = 0;
  for (const [index, owner] of (metadata.ownerReferences ?? []).entries()) {
    const path = `metadata.ownerReferences[${index}]`;
    if (!owner.apiVersion) errors.invalid(`${path}.apiVersion`, "", "version must not be empty");
    if (!owner.kind) errors.invalid(`${path}.kind`, "", "must not be empty");
    if (!owner.name) errors.invalid(`${path}.name`, "", "must not be empty");
    if (!owner.uid) errors.invalid(`${path}.uid`, "", "must not be empty");
    if (owner.controller) controllers += 1;
  }
  if (controllers > 1) {
    errors.invalid(
      "metadata.ownerReferences",
      "",
      "Only one reference can have Controller set to true",
    );
  }
}

export function validateLabels(
  labels: Record<string, string> | undefined,
  path: string,
  errors: FieldErrors,
): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    for (const problem of qualifiedNameProblems(key)) errors.invalid(path, key, problem);
    for (const problem of labelValueProblems(value)) errors.invalid(path, value, problem);
  }
}

function validateAnnotations(
  annotations: Record<string, string> | undefined,
  errors: FieldErrors,
): void {
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    for (const problem of qualifiedNameProblems(key.toLowerCase())) {
      errors.invalid("metadata.annotations", key, problem);
    }
    bytes += key.length + value.length;
  }
  if (bytes > maxAnnotationBytes) {
    errors.invalid("metadata.annotations", "", `must have at most ${maxAnnotationBytes} bytes`);
  }
}
