import type { Container, Pod } from "kubernetes-types/core/v1.js";
import { hostnameProblem } from "./pod-names.ts";

/** The type package does not know it yet. */
interface NewerContext {
  supplementalGroupsPolicy?: string;
}

/**
 * What the pod asks for and can never have here, as a sentence; `undefined` if there is nothing. Only what changes the
 * meaning of the pod: who asks for more isolation, or for a device, must not silently get less.
 */
export function unsupported(pod: Pod, clusterDomain?: string): string | undefined {
  const { spec } = pod;
  const security = spec?.securityContext as NewerContext | undefined;
  if (spec?.hostUsers === false) {
    return "hostUsers: false asks for a user namespace of its own, which this plugin does not give to pods; run the whole engine with userns-remap or rootless instead, and leave the field out.";
  }
  if (security?.supplementalGroupsPolicy === "Strict") {
    return "supplementalGroupsPolicy: Strict cannot be kept: container engines always add the groups of the image's user.";
  }
  if ((spec?.resourceClaims ?? []).length > 0) {
    return "resourceClaims (dynamic resource allocation) are not supported by this plugin; ask for an extended resource under resources.limits instead.";
  }
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  return hostnameProblem(pod, clusterDomain) ?? first(containers.map(containerProblem));
}

function containerProblem({
  name,
  volumeDevices = [],
  securityContext,
}: Container): string | undefined {
  if (volumeDevices.length > 0) {
    return `container "${name}" asks for raw block volumes (volumeDevices), which this plugin does not provide.`;
  }
  if (securityContext?.windowsOptions?.hostProcess === true) {
    return `container "${name}" is a Windows host process; this plugin runs Linux containers.`;
  }
  return undefined;
}

function first(problems: readonly (string | undefined)[]): string | undefined {
  return problems.find((problem) => problem !== undefined);
}
