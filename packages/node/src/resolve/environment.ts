import { ADDRESS_FIELDS, expand, type FieldAddresses, fieldValue } from "@interlink/protocol";
import type { Container, EnvVar, EnvVarSource, Pod } from "kubernetes-types/core/v1.js";
import type { PodObjects } from "./pod-objects.ts";
import { type Allocatable, resourceValue } from "./resource-ref.ts";
import { serviceEnv } from "./service-env.ts";

export interface EnvironmentInput {
  pod: Pod;
  container: Container;
  objects: PodObjects;
  addresses: FieldAddresses;
  /** The peer fills in {@link ADDRESS_FIELDS} itself (`pod-ip-env`): leave those entries as `valueFrom`. */
  leaveAddresses: boolean;
  /** The peer reads variables from files itself (`env-files`): leave those entries as `valueFrom`. */
  leaveFiles?: boolean;
  /** Of the node; stands in for limits that a container does not set. */
  allocatable: Allocatable;
}

/**
 * `problem` is the kubelet's sentence; the container waits with CreateContainerConfigError until it is solved.
 * `missing` is the reference that leads nowhere yet; without it, waiting is of no use.
 */
export type EnvironmentResult =
  | { env: EnvVar[] }
  | { problem: string; missing?: Pick<Container, "env" | "envFrom"> };

type Slot = { value: string } | { valueFrom: EnvVarSource };
/** `final`: it is not a matter of waiting. */
type Found = Slot | { problem: string; final?: true } | undefined;

/**
 * A container's environment with everything resolved, in declaration order: envFrom, then env, then the service
 * variables that nobody named (kubelet makeEnvironmentVariables; kubelet-contract.md 4.1).
 *
 * `$(NAME)` that refers to a variable left to the plugin stays as it is: who fills in NAME must expand it too.
 * `command` and `args` are not touched: peers expect them raw and expand them with the final environment.
 */
export function resolveEnvironment(input: EnvironmentInput): EnvironmentResult {
  const slots = new Map<string, Slot>();
  const unknown = addEnvFrom(slots, input);
  if (unknown) return unknown;
  const services = new Map(
    serviceEnv(input.pod, input.objects.services).map(({ name, value }) => [name, value ?? ""]),
  );
  const lookup = (name: string) => {
    const slot = slots.get(name);
    if (!slot) return services.get(name);
    return "value" in slot ? slot.value : `$(${name})`;
  };
  for (const { name, value, valueFrom } of input.container.env ?? []) {
    // A value that is set wins over valueFrom; an empty one does not.
    const found: Found =
      value || !valueFrom ? { value: expand(value ?? "", lookup) } : fromSource(valueFrom, input);
    if (found === undefined) continue;
    if ("problem" in found) {
      const { problem, final } = found;
      return final
        ? { problem }
        : { problem, missing: { env: [{ name, valueFrom: valueFrom ?? {} }] } };
    }
    slots.set(name, found);
  }
  for (const [name, value] of services) {
    if (!slots.has(name)) slots.set(name, { value });
  }
  return { env: [...slots].map(([name, slot]) => ({ name, ...slot })) };
}

function addEnvFrom(
  slots: Map<string, Slot>,
  input: EnvironmentInput,
): Exclude<EnvironmentResult, { env: EnvVar[] }> | undefined {
  const { objects } = input;
  for (const source of input.container.envFrom ?? []) {
    const { prefix = "", configMapRef, secretRef } = source;
    const missing = { envFrom: [source] };
    if (configMapRef) {
      const object = objects.configMaps.get(configMapRef.name ?? "");
      if (!object && !configMapRef.optional) {
        return { problem: `configmap "${configMapRef.name}" not found`, missing };
      }
      for (const [key, value] of Object.entries(object?.data ?? {})) {
        slots.set(prefix + key, { value });
      }
    } else if (secretRef) {
      const object = objects.secrets.get(secretRef.name ?? "");
      if (!object && !secretRef.optional) {
        return { problem: `secret "${secretRef.name}" not found`, missing };
      }
      for (const [key, value] of Object.entries(object?.data ?? {})) {
        slots.set(prefix + key, { value: decode(value) });
      }
    }
  }
  return undefined;
}

function fromSource(source: EnvVarSource, input: EnvironmentInput): Found {
  const { objects, pod } = input;
  const namespace = pod.metadata?.namespace ?? "default";
  if (source.fieldRef) {
    const path = source.fieldRef.fieldPath;
    if (input.leaveAddresses && ADDRESS_FIELDS.has(path)) return { valueFrom: source };
    const value = fieldValue(pod, path, input.addresses);
    return value === undefined
      ? { problem: `unsupported fieldPath: ${path}`, final: true }
      : { value };
  }
  if (source.resourceFieldRef) {
    const found = resourceValue(pod, source.resourceFieldRef, input.container, input.allocatable);
    return "problem" in found ? { ...found, final: true } : found;
  }
  if (source.configMapKeyRef) {
    const { name, key, optional } = source.configMapKeyRef;
    const object = objects.configMaps.get(name ?? "");
    const value = object?.data?.[key];
    if (value !== undefined) return { value };
    if (optional) return undefined;
    if (!object) return { problem: `configmap "${name}" not found` };
    return { problem: `couldn't find key ${key} in ConfigMap ${namespace}/${name}` };
  }
  if (source.secretKeyRef) {
    const { name, key, optional } = source.secretKeyRef;
    const object = objects.secrets.get(name ?? "");
    const value = object?.data?.[key];
    if (value !== undefined) return { value: decode(value) };
    if (optional) return undefined;
    if (!object) return { problem: `secret "${name}" not found` };
    return { problem: `couldn't find key ${key} in Secret ${namespace}/${name}` };
  }
  // Newer than the type package.
  if (input.leaveFiles && "fileKeyRef" in source) return { valueFrom: source };
  const kind = Object.keys(source)[0] ?? "without a kind";
  return {
    problem: `an environment variable comes from ${kind}, which this node does not support; use a value, fieldRef, resourceFieldRef, configMapKeyRef or secretKeyRef`,
    final: true,
  };
}

function decode(base64: string): string {
  return Buffer.from(base64, "base64").toString("utf8");
}
