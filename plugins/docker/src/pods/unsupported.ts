import type { Container, Pod, VolumeMount } from "kubernetes-types/core/v1.js";
import { hostnameProblem } from "./pod-names.ts";

/** What the type package does not know yet. */
interface NewerPodSpec {
  os?: { name: string };
  resources?: Container["resources"];
}
interface NewerResources {
  claims?: readonly unknown[];
}

/**
 * What the pod asks for and can never have here, as a sentence; `undefined` if there is nothing. Only what changes the
 * meaning of the pod: who asks for more isolation, or for a device, must not silently get less.
 */
export function unsupported(pod: Pod, clusterDomain?: string): string | undefined {
  const { spec } = pod;
  const newer = (spec ?? {}) as NewerPodSpec;
  const security = spec?.securityContext as { supplementalGroupsPolicy?: string } | undefined;
  if (spec?.hostUsers === false) {
    return "hostUsers: false asks for a user namespace of its own, which this plugin does not give to pods; run the whole engine with userns-remap or rootless instead, and leave the field out.";
  }
  if (security?.supplementalGroupsPolicy === "Strict") {
    return "supplementalGroupsPolicy: Strict cannot be kept: container engines always add the groups of the image's user.";
  }
  if ((spec?.resourceClaims ?? []).length > 0) {
    return "resourceClaims (dynamic resource allocation) are not supported by this plugin; ask for an extended resource under resources.limits instead.";
  }
  if (newer.os !== undefined && newer.os?.name !== "linux") {
    return `os.name: ${newer.os.name} is not what runs here; this plugin runs Linux containers.`;
  }
  if (Object.keys(newer.resources?.limits ?? {}).length > 0) {
    return "resources.limits of the pod as a whole cannot be kept: container engines limit single containers. Give the limits to the containers.";
  }
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  return hostnameProblem(pod, clusterDomain) ?? first(containers.map(containerProblem));
}

/** The same for one container, which may have come later (`kubectl debug`). */
export function containerProblem(container: Container): string | undefined {
  const { name, volumeDevices = [], securityContext, resources, volumeMounts = [] } = container;
  if (volumeDevices.length > 0) {
    return `container "${name}" asks for raw block volumes (volumeDevices), which this plugin does not provide.`;
  }
  if (securityContext?.windowsOptions?.hostProcess === true) {
    return `container "${name}" is a Windows host process; this plugin runs Linux containers.`;
  }
  if (((resources as NewerResources | undefined)?.claims ?? []).length > 0) {
    return `container "${name}" asks for resource claims (dynamic resource allocation), which this plugin does not have; ask for an extended resource under resources.limits instead.`;
  }
  const amounts = Object.keys({ ...resources?.limits, ...resources?.requests });
  const huge = amounts.find((resource) => resource.startsWith("hugepages-"));
  if (huge !== undefined) {
    return `container "${name}" asks for ${huge}, which container engines neither set aside nor limit.`;
  }
  const isPrivileged = securityContext?.privileged === true;
  return first(volumeMounts.map((mount) => mountProblem(name, isPrivileged, mount)));
}

/** The rules of the Kubernetes API (`pkg/apis/core/validation`), which not every caller has asked. */
function mountProblem(
  container: string,
  isPrivileged: boolean,
  { name, mountPropagation = "None", recursiveReadOnly = "Disabled", readOnly }: VolumeMount,
): string | undefined {
  const where = `volumeMount "${name}" of container "${container}"`;
  if (!["None", "HostToContainer", "Bidirectional"].includes(mountPropagation)) {
    return `${where} has the mountPropagation ${mountPropagation}, which is none of None, HostToContainer and Bidirectional.`;
  }
  if (mountPropagation === "Bidirectional" && !isPrivileged) {
    return `${where} has mountPropagation: Bidirectional, which only privileged containers may have.`;
  }
  if (recursiveReadOnly === "Disabled") return undefined;
  if (readOnly !== true || mountPropagation !== "None") {
    return `${where} has recursiveReadOnly: ${recursiveReadOnly}, which needs readOnly: true and no mountPropagation.`;
  }
  return undefined;
}

function first(problems: readonly (string | undefined)[]): string | undefined {
  return problems.find((problem) => problem !== undefined);
}
