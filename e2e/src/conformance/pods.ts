import type { ContainerStatus, Pod, PodCondition } from "kubernetes-types/core/v1.js";
import type { PodOptions } from "../harness/manifest.ts";

/** The command of a container that runs until it is stopped, and ends at once then. */
export const SLEEP = "exec sleep 1000";

/** The command of a container that ends with this exit code when it is told to; from its first line `up` on. */
export function untilTold(exitCode: number): string {
  return `trap 'exit ${exitCode}' TERM; echo up; sleep 1000 & wait`;
}

/** A further container for a pod of {@link PodOptions}, running a line of shell. */
export function shell(name: string, command: string, over: Record<string, unknown> = {}) {
  return {
    name,
    image: "busybox:latest",
    imagePullPolicy: "IfNotPresent",
    command: ["sh", "-c", command],
    ...over,
  };
}

/** An exec probe or hook that runs a line of shell. */
export function exec(command: string) {
  return { exec: { command: ["sh", "-c", command] } };
}

/** A probe that decides by each look, once a second. */
export const EACH_SECOND = { periodSeconds: 1, failureThreshold: 1 };

/** The same for looks that have to pass on a busy machine too. */
export const PATIENT = { ...EACH_SECOND, initialDelaySeconds: 2, timeoutSeconds: 10 };

/** The directory that all containers of a pod with {@link shared} have in common. */
export const WORK = { name: "work", mountPath: "/work" };

/** The pod with an emptyDir at `/work` of every container. */
export function shared(options: PodOptions): PodOptions {
  const mount = (containers: unknown): unknown[] =>
    (containers as { volumeMounts?: unknown[] }[]).map((one) => ({
      ...one,
      volumeMounts: [...(one.volumeMounts ?? []), WORK],
    }));
  const { spec = {}, container = {} } = options;
  const { initContainers, containers } = spec;
  return {
    ...options,
    container: { ...container, volumeMounts: [WORK] },
    spec: {
      ...spec,
      ...(initContainers !== undefined && { initContainers: mount(initContainers) }),
      ...(containers !== undefined && { containers: mount(containers) }),
      volumes: [{ name: "work", emptyDir: {} }],
    },
  };
}

export function conditionOf(pod: Pod | undefined, type: string): PodCondition | undefined {
  return pod?.status?.conditions?.find((one) => one.type === type);
}

export function isReady(pod: Pod): boolean {
  return conditionOf(pod, "Ready")?.status === "True";
}

/** The status of a container, whatever its kind. */
export function containerOf(pod: Pod | undefined, name = "main"): ContainerStatus | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = pod?.status ?? {};
  return [...initContainerStatuses, ...containerStatuses].find((one) => one.name === name);
}

export function exitCodeOf(pod: Pod | undefined, name = "main"): number | undefined {
  return containerOf(pod, name)?.state?.terminated?.exitCode;
}

/** Whether a container has ever begun, by what its status says. */
export function hasBegun(pod: Pod | undefined, name = "main"): boolean {
  const { state, lastState, restartCount = 0 } = containerOf(pod, name) ?? {};
  return (
    state?.running !== undefined ||
    // Kubernetes writes null for no time.
    (state?.terminated?.startedAt ?? undefined) !== undefined ||
    lastState?.terminated !== undefined ||
    restartCount > 0
  );
}

/** A time of the API, in whole seconds since the epoch. */
export function seconds(time: string | undefined): number {
  return Date.parse(time ?? "") / 1000;
}

/** The different values in a row, each as often as it came up anew. */
export function steps<T>(values: readonly T[]): T[] {
  return values.filter((value, index) => index === 0 || value !== values[index - 1]);
}
