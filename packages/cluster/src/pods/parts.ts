import type { Container, EphemeralContainer, Pod, PodSpec } from "kubernetes-types/core/v1.js";
import type { FieldErrors } from "../api/field-errors.ts";
import { as, clone, type KubeObject, sameJson } from "../api/object.ts";
import type { PartStrategy } from "../resources/definition.ts";
import { labelNameProblems } from "../validation/names.ts";
import type { Writable } from "./defaults.ts";
import { qosClass } from "./qos.ts";

/** The parts of a pod's spec that are written by subresources of their own (pkg/registry/core/pod/strategy.go). */
export const podParts: Readonly<Record<string, PartStrategy>> = {
  /** Since 1.25. What is there stays; more may come. */
  ephemeralcontainers: { specOf: withEphemeralContainers, validateUpdate: validateEphemeral },
  /** Since 1.33. Other CPU and memory for containers. */
  resize: { specOf: withResources, validateUpdate: validateResize },
};

function specOf(object: KubeObject): PodSpec {
  // A patch may have taken the whole spec away.
  return as<Pod>(object).spec ?? { containers: [] };
}

function withEphemeralContainers(object: KubeObject, old: KubeObject): PodSpec {
  const { ephemeralContainers: _before, ...rest } = specOf(old);
  const wanted = specOf(object).ephemeralContainers;
  return clone<unknown>({
    ...rest,
    ...(wanted?.length ? { ephemeralContainers: wanted } : {}),
  }) as PodSpec;
}

/** Not for what runs for a moment only (`ValidateEphemeralContainers`, allowed fields). */
const NOT_EPHEMERAL: readonly (keyof EphemeralContainer)[] = [
  "ports",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
  "resizePolicy",
];

function validateEphemeral(object: KubeObject, old: KubeObject, errors: FieldErrors): void {
  const next = specOf(object);
  const names = new Set([...(next.containers ?? []), ...(next.initContainers ?? [])].map(nameOf));
  for (const [index, container] of (next.ephemeralContainers ?? []).entries()) {
    const at = `spec.ephemeralContainers[${index}]`;
    const { name, image, targetContainerName, resources } = container;
    if (!name) errors.required(`${at}.name`);
    for (const problem of name ? labelNameProblems(name) : []) {
      errors.invalid(`${at}.name`, name, problem);
    }
    if (names.has(name)) errors.duplicate(`${at}.name`, name);
    names.add(name);
    if (!image) errors.required(`${at}.image`);
    if (targetContainerName && !next.containers.some((one) => one.name === targetContainerName)) {
      errors.notFound(`${at}.targetContainerName`, targetContainerName);
    }
    for (const [position, mount] of (container.volumeMounts ?? []).entries()) {
      if (!next.volumes?.some((volume) => volume.name === mount.name)) {
        errors.notFound(`${at}.volumeMounts[${position}].name`, mount.name);
      }
      if (mount.subPath || mount.subPathExpr) {
        const message = "cannot be set for an Ephemeral Container";
        errors.forbidden(`${at}.volumeMounts[${position}].subPath`, message);
      }
    }
    for (const field of NOT_EPHEMERAL) {
      if (container[field] !== undefined) {
        errors.forbidden(`${at}.${field}`, "cannot be set for an Ephemeral Container");
      }
    }
    if (resources && Object.keys(resources).length > 0) {
      errors.forbidden(`${at}.resources`, "cannot be set for an Ephemeral Container");
    }
  }
  for (const before of specOf(old).ephemeralContainers ?? []) {
    const after = next.ephemeralContainers?.find(({ name }) => name === before.name);
    if (sameJson(after, before)) continue;
    const what = after ? "changed" : "removed";
    const message = `existing ephemeral containers ${JSON.stringify(before.name)} may not be ${what}`;
    errors.forbidden("spec.ephemeralContainers", message);
  }
}

function nameOf({ name }: Container): string {
  return name;
}

/** By position, as the containers of a pod are always the same ones. */
function withResources(object: KubeObject, old: KubeObject): PodSpec {
  const wanted = specOf(object);
  const spec = clone<unknown>(specOf(old)) as Writable<PodSpec>;
  for (const field of ["containers", "initContainers"] as const) {
    for (const [index, container] of (spec[field] ?? []).entries()) {
      const { resources } = wanted[field]?.[index] ?? {};
      if (resources) container.resources = clone<unknown>(resources) as typeof resources;
    }
  }
  return spec;
}

const RESIZABLE = ["cpu", "memory"];

/** The part of `ValidatePodResize` that concerns what was asked for. */
function validateResize(object: KubeObject, old: KubeObject, errors: FieldErrors): void {
  const next = specOf(object);
  const before = specOf(old);
  if (qosClass(next) !== qosClass(before)) {
    errors.invalid("spec", qosClass(next), "Pod QOS Class may not change as a result of resizing");
  }
  for (const field of ["containers", "initContainers"] as const) {
    for (const [index, { resources }] of (next[field] ?? []).entries()) {
      const was = before[field]?.[index]?.resources;
      for (const kind of ["requests", "limits"] as const) {
        const names = new Set([
          ...Object.keys(was?.[kind] ?? {}),
          ...Object.keys(resources?.[kind] ?? {}),
        ]);
        for (const name of names) {
          if (RESIZABLE.includes(name) || was?.[kind]?.[name] === resources?.[kind]?.[name])
            continue;
          const at = `spec.${field}[${index}].resources.${kind}`;
          errors.forbidden(at, "only cpu and memory resources are mutable");
        }
      }
    }
  }
}
