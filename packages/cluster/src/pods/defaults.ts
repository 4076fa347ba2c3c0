import type {
  Container,
  LifecycleHandler,
  PodSpec,
  Probe,
  Volume,
} from "kubernetes-types/core/v1.js";

/** The kubernetes-types with their fields writable, all the way down. */
export type Writable<T> = T extends readonly (infer Item)[]
  ? Writable<Item>[]
  : T extends object
    ? { -readonly [Field in keyof T]: Writable<T[Field]> }
    : T;

type Draft<T> = Writable<T>;

/** `imagePullPolicy` when it is not given: Always for `:latest` or no tag, IfNotPresent otherwise. */
export function defaultPullPolicy(image: string): string {
  const [reference = "", digest] = image.split("@");
  const tag = /:([^:/]+)$/.exec(reference)?.[1];
  if (digest !== undefined && tag === undefined) return "IfNotPresent";
  return tag === undefined || tag === "latest" ? "Always" : "IfNotPresent";
}

/** `SetDefaults_PodSpec` and what it calls (pkg/apis/core/v1/defaults.go), for pods and for pod templates. */
export function defaultPodSpec(spec: Draft<PodSpec>): void {
  spec.restartPolicy ??= "Always";
  spec.terminationGracePeriodSeconds ??= 30;
  // Never refused, as that would break who has always written it; since 1.27 read as this.
  if (spec.terminationGracePeriodSeconds < 0) spec.terminationGracePeriodSeconds = 1;
  spec.dnsPolicy ??= "ClusterFirst";
  spec.schedulerName ??= "default-scheduler";
  spec.securityContext ??= {};
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    defaultContainer(container);
    if (spec.hostNetwork) {
      for (const port of container.ports ?? []) port.hostPort ??= port.containerPort;
    }
  }
  // The old name of serviceAccountName is kept in step with it.
  if (spec.serviceAccount && !spec.serviceAccountName)
    spec.serviceAccountName = spec.serviceAccount;
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
}

/** What is defaulted in a pod but not in a template. */
export function defaultPodOnly(spec: Draft<PodSpec>): void {
  spec.enableServiceLinks ??= true;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    const limits = container.resources?.limits;
    if (!limits) continue;
    container.resources ??= {};
    container.resources.requests = { ...limits, ...container.resources.requests };
  }
}

function defaultContainer(container: Draft<Container>): void {
  container.imagePullPolicy ??= defaultPullPolicy(container.image ?? "");
  container.terminationMessagePath ??= "/dev/termination-log";
  container.terminationMessagePolicy ??= "File";
  container.resources ??= {};
  for (const port of container.ports ?? []) port.protocol ??= "TCP";
  for (const variable of container.env ?? []) {
    if (variable.valueFrom?.fieldRef) variable.valueFrom.fieldRef.apiVersion ??= "v1";
  }
  for (const name of ["livenessProbe", "readinessProbe", "startupProbe"] as const) {
    const probe = container[name];
    if (probe) defaultProbe(probe);
  }
  defaultHandler(container.lifecycle?.postStart);
  defaultHandler(container.lifecycle?.preStop);
}

function defaultProbe(probe: Draft<Probe>): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  defaultHandler(probe);
}

function defaultHandler(handler: Draft<Pick<LifecycleHandler, "httpGet">> | undefined): void {
  if (!handler?.httpGet) return;
  handler.httpGet.path ||= "/";
  handler.httpGet.scheme ||= "HTTP";
}

const fileMode = 0o644;

function defaultVolume(volume: Draft<Volume>): void {
  const sources = Object.keys(volume).filter((key) => key !== "name");
  if (sources.length === 0) volume.emptyDir = {};
  if (volume.secret) volume.secret.defaultMode ??= fileMode;
  if (volume.configMap) volume.configMap.defaultMode ??= fileMode;
  if (volume.hostPath) volume.hostPath.type ??= "";
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= fileMode;
    for (const item of volume.downwardAPI.items ?? []) {
      if (item.fieldRef) item.fieldRef.apiVersion ??= "v1";
    }
  }
  if (volume.projected) {
    volume.projected.defaultMode ??= fileMode;
    for (const source of volume.projected.sources ?? []) {
      if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600;
      for (const item of source.downwardAPI?.items ?? []) {
        if (item.fieldRef) item.fieldRef.apiVersion ??= "v1";
      }
    }
  }
}
