import { expand } from "@interlink/protocol";
import type { Container, EnvVar, Pod } from "kubernetes-types/core/v1.js";
import { PluginError } from "../plugin-error.ts";
import { fileKeyRefOf } from "./env-file.ts";
import { fieldRefValue, resourceValue } from "./field-ref.ts";
import type { PodAddresses } from "./pod-addresses.ts";

/** What a container is started with. */
export interface ResolvedContainer {
  /** In order of declaration, unique names, values byte-exact. */
  env: { name: string; value: string }[];
  /** Absent: the image's ENTRYPOINT. */
  command?: string[];
  /** Absent: the image's CMD. */
  args?: string[];
}

/**
 * A container's environment, command and arguments, ready to run. Values from the virtual node are final and are not
 * expanded again, except for references to a variable that it left and that is resolved here; command and args see the
 * whole environment. `files`: what `readFileVariables` has found. Throws `PluginError` `rejected` in the kubelet's words
 * for a `valueFrom` that cannot be known here.
 */
export function resolveContainer(
  pod: Pod,
  container: Container,
  addresses: PodAddresses,
  files: ReadonlyMap<EnvVar, string> = new Map(),
): ResolvedContainer {
  refuseEnvFrom(container);
  const env = new Map<string, string>();
  const filledIn = new Map<string, string>();
  for (const variable of container.env ?? []) {
    const isOfFile = fileKeyRefOf(variable) !== undefined;
    const value = isOfFile ? files.get(variable) : valueOf(variable, pod, container, addresses);
    if (value === undefined) continue;
    const isLeft = isOfFile || (variable.valueFrom?.fieldRef !== undefined && !variable.value);
    const final = isLeft ? value : withFilledIn(value, filledIn);
    checkVariable(variable.name, final, container);
    env.set(variable.name, final);
    if (isLeft) filledIn.set(variable.name, final);
    else filledIn.delete(variable.name);
  }
  const expanded = (text: string): string => expand(text, (name) => env.get(name));
  const { command = [], args = [] } = container;
  return {
    env: Array.from(env, ([name, value]) => ({ name, value })),
    ...(command.length > 0 && { command: command.map(expanded) }),
    ...(args.length > 0 && { args: args.map(expanded) }),
  };
}

/** The virtual node leaves `$(NAME)` where NAME is an earlier variable that it left to us, and only there. */
function withFilledIn(value: string, filledIn: ReadonlyMap<string, string>): string {
  if (filledIn.size === 0) return value;
  return value.replaceAll(/\$\(([^)]*)\)/g, (all, name: string) => filledIn.get(name) ?? all);
}

/** `undefined`: an optional reference that leads nowhere, so the variable is not set. */
function valueOf(
  { value, valueFrom }: EnvVar,
  pod: Pod,
  container: Container,
  addresses: PodAddresses,
): string | undefined {
  // Go leaves out an empty text, so a variable set to "" arrives without a value.
  if (valueFrom === undefined || (value !== undefined && value !== "")) return value ?? "";
  if (valueFrom.fieldRef) return fieldRefValue(pod, valueFrom.fieldRef, addresses);
  if (valueFrom.resourceFieldRef) return resourceValue(pod, container, valueFrom.resourceFieldRef);
  const { configMapKeyRef, secretKeyRef } = valueFrom;
  if (configMapKeyRef?.optional || secretKeyRef?.optional) return undefined;
  if (configMapKeyRef)
    throw new PluginError("rejected", notFound("configmap", configMapKeyRef.name));
  if (secretKeyRef) throw new PluginError("rejected", notFound("secret", secretKeyRef.name));
  throw new PluginError(
    "rejected",
    `An environment variable of container ${container.name} has a kind of valueFrom that is not supported here.`,
  );
}

/** The virtual node resolves `envFrom`; one that is left means it did not find the object. */
function refuseEnvFrom({ envFrom }: Container): void {
  for (const { configMapRef, secretRef } of envFrom ?? []) {
    if (configMapRef && !configMapRef.optional) {
      throw new PluginError("rejected", notFound("configmap", configMapRef.name));
    }
    if (secretRef && !secretRef.optional) {
      throw new PluginError("rejected", notFound("secret", secretRef.name));
    }
  }
}

function checkVariable(name: string, value: string, container: Container): void {
  if (name !== "" && !name.includes("=") && !`${name}${value}`.includes("\0")) return;
  throw new PluginError(
    "rejected",
    `The environment variable ${JSON.stringify(name)} of container ${container.name} cannot be set: a name must not be empty or hold "=", and neither name nor value a NUL.`,
  );
}

function notFound(kind: "configmap" | "secret", name: string | undefined): string {
  return `${kind} "${name ?? ""}" not found`;
}
