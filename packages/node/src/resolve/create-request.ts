import type { FieldAddresses, PodCreateRequest } from "@interlink/protocol";
import type {
  Container,
  EnvVar,
  EphemeralContainer,
  Pod,
  PodSpec,
  PodStatus,
  Secret,
} from "kubernetes-types/core/v1.js";
import { atSeconds } from "../status/times.ts";
import { resolveEnvironment } from "./environment.ts";
import type { PodObjects } from "./pod-objects.ts";
import type { Allocatable } from "./resource-ref.ts";
import { resolveVolumes, type VolumeProblem } from "./volumes.ts";

export interface CreateRequestInput {
  pod: Pod;
  objects: PodObjects;
  addresses: FieldAddresses;
  leaveAddresses: boolean;
  leaveFiles?: boolean;
  /** The site runs ephemeral containers; others are not told of them. */
  ephemeralContainers: boolean;
  /** The site takes the Secrets of `imagePullSecrets` along. */
  pullSecrets: boolean;
  allocatable: Allocatable;
  /** `""`: no job-script builder. */
  jobscriptURL: string;
  now: Date;
  /**
   * The pod runs already: a container whose environment cannot be made goes out with the one reference that is missing,
   * so that its next start waits for it, as in a kubelet. Without, it is a problem of the pod.
   */
  keepUnresolved?: boolean;
}

/** A container whose environment cannot be made yet, in the kubelet's words. */
export interface ContainerProblem {
  container: string;
  init: boolean;
  message: string;
  /** It is not a matter of waiting: this node never has what the container asks for. */
  never: boolean;
}

export type CreateRequestResult =
  | { request: PodCreateRequest }
  | { volumes: VolumeProblem[]; containers: ContainerProblem[] };

/** Where old peers look for an address before there is one. */
const PLACEHOLDER_IP = "127.0.0.1";

/**
 * Everything that the site needs to run the pod, or all that is missing. As in a kubelet, volumes come first: while one
 * cannot be filled, environments are not looked at. Shapes: interlink-wire-and-node.md 1.4.
 */
export function buildCreateRequest(input: CreateRequestInput): CreateRequestResult {
  const { pod, addresses } = input;
  const spec = pod.spec as PodSpec;
  const volumes = resolveVolumes(input);
  if (volumes.problems.length > 0) return { volumes: volumes.problems, containers: [] };

  const known: FieldAddresses = {
    podIPs: addresses.podIPs.length > 0 ? addresses.podIPs : [PLACEHOLDER_IP],
    hostIPs: addresses.hostIPs.length > 0 ? addresses.hostIPs : [PLACEHOLDER_IP],
  };
  const problems: ContainerProblem[] = [];
  const resolved = (container: Container, init: boolean): Container => {
    const result = resolveEnvironment({ ...input, addresses: known, container });
    if ("env" in result) return withEnv(container, result.env);
    const { problem, missing } = result;
    if (input.keepUnresolved === true && missing !== undefined) {
      return { ...withEnv(container, []), ...missing };
    }
    const never = missing === undefined;
    problems.push({ container: container.name, init, message: problem, never });
    return container;
  };
  const initContainers = spec.initContainers?.map((one) => resolved(one, true));
  const containers = spec.containers.map((one) => resolved(one, false));
  const ephemeral = input.ephemeralContainers ? (spec.ephemeralContainers ?? []) : [];
  const ephemeralContainers = ephemeral.map((container): EphemeralContainer => {
    const result = resolveEnvironment({ ...input, addresses: known, container });
    if ("env" in result) return withEnv(container, result.env);
    // It alone waits, at the site; its pod does not.
    const { missing } = result;
    return missing === undefined ? container : { ...withEnv(container, []), ...missing };
  });
  if (problems.length > 0) return { volumes: [], containers: problems };

  const { managedFields: _fields, ...metadata } = pod.metadata ?? {};
  const { ephemeralContainers: _ephemeral, ...lasting } = spec;
  return {
    request: {
      pod: {
        metadata,
        spec: {
          ...lasting,
          ...(initContainers ? { initContainers } : {}),
          containers,
          ...(ephemeralContainers.length > 0 ? { ephemeralContainers } : {}),
          ...(spec.volumes ? { volumes: volumes.volumes } : {}),
        },
        status: initialStatus(pod, known, input.now),
      },
      configmaps: volumes.configmaps,
      secrets: input.pullSecrets ? withPullSecrets(volumes.secrets, input) : volumes.secrets,
      projectedvolumesmaps: volumes.projectedvolumesmaps,
      jobscriptURL: input.jobscriptURL,
    },
  };
}

/** Those that do not exist are left out: the image may be had without, and a kubelet tries that too. */
function withPullSecrets(
  mounted: readonly Secret[],
  { pod, objects }: Pick<CreateRequestInput, "pod" | "objects">,
): Secret[] {
  const secrets = new Map(mounted.map((secret) => [secret.metadata?.name, secret]));
  for (const { name = "" } of pod.spec?.imagePullSecrets ?? []) {
    const secret = objects.secrets.get(name);
    if (secret !== undefined && !secrets.has(name)) secrets.set(name, secret);
  }
  return [...secrets.values()];
}

function withEnv<T extends Container>(container: T, env: EnvVar[]) {
  const { env: _env, envFrom: _from, ...rest } = container;
  return env.length > 0 ? { ...rest, env } : rest;
}

/** The status that peers get with a pod: Pending, three conditions with null times, an address for pod and host. */
function initialStatus(pod: Pod, { podIPs, hostIPs }: FieldAddresses, now: Date): PodStatus {
  const hasInit = (pod.spec?.initContainers?.length ?? 0) > 0;
  const condition = (type: string, status: "True" | "False") => ({
    type,
    status,
    lastProbeTime: null,
    lastTransitionTime: null,
  });
  return {
    phase: "Pending",
    conditions: [
      condition("Initialized", hasInit ? "False" : "True"),
      condition("Ready", "False"),
      condition("PodScheduled", "True"),
    ],
    hostIP: hostIPs[0] ?? PLACEHOLDER_IP,
    podIP: podIPs[0] ?? PLACEHOLDER_IP,
    startTime: pod.status?.startTime ?? atSeconds(now),
    // Go peers write times that are not set as null; the type package has no null.
  } as unknown as PodStatus;
}
