import type { Container, Pod, SecurityContext } from "kubernetes-types/core/v1.js";

/** What of the host an operator may keep from pods. Each is allowed, as under a kubelet, until it is forbidden. */
export const HOST_ACCESS = [
  "privileged",
  "capabilities",
  "unconfined",
  "hostNetwork",
  "hostPID",
  "hostIPC",
  "hostPorts",
] as const;

/** One of {@link HOST_ACCESS}. */
export type HostAccess = (typeof HOST_ACCESS)[number];

/** What engines give by default (Docker's list, of which Podman's is a part); to add one of them adds nothing. */
const ORDINARY = new Set(
  (
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID " +
    "SYS_CHROOT"
  ).split(" "),
);

/** What the pod as a whole asks for and the operator has forbidden, as a sentence. */
export function forbiddenToPod(
  { spec }: Pod,
  forbidden: readonly HostAccess[],
): string | undefined {
  for (const key of ["hostNetwork", "hostPID", "hostIPC"] as const) {
    if (spec?.[key] === true && forbidden.includes(key))
      return sentence("pod", `${key}: true`, key);
  }
  const context = spec?.securityContext;
  if (forbidden.includes("unconfined") && isUnconfined(context)) {
    return sentence("pod", "a profile of type Unconfined", "unconfined");
  }
  return undefined;
}

/** What one container asks for and the operator has forbidden, as a sentence. */
export function forbiddenToContainer(
  { name, securityContext = {}, ports = [] }: Container,
  forbidden: readonly HostAccess[],
): string | undefined {
  const who = `container "${name}"`;
  if (forbidden.includes("privileged") && securityContext.privileged === true) {
    return sentence(who, "privileged: true", "privileged");
  }
  if (forbidden.includes("capabilities")) {
    const added = (securityContext.capabilities?.add ?? []).find(
      (one) => !ORDINARY.has(short(one)),
    );
    if (added !== undefined) return sentence(who, `the capability ${added}`, "capabilities");
  }
  if (forbidden.includes("unconfined")) {
    if (securityContext.procMount === "Unmasked") {
      return sentence(who, "procMount: Unmasked", "unconfined");
    }
    if (isUnconfined(securityContext)) {
      return sentence(who, "a profile of type Unconfined", "unconfined");
    }
  }
  if (forbidden.includes("hostPorts") && ports.some(({ hostPort = 0 }) => hostPort > 0)) {
    return sentence(who, "a hostPort", "hostPorts");
  }
  return undefined;
}

function isUnconfined(
  context: Pick<SecurityContext, "seccompProfile" | "appArmorProfile"> | undefined,
): boolean {
  const types = [context?.seccompProfile?.type, context?.appArmorProfile?.type];
  return types.includes("Unconfined");
}

function short(capability: string): string {
  return capability.toUpperCase().replace(/^CAP_/, "");
}

function sentence(who: string, what: string, key: HostAccess): string {
  return `The ${who} asks for ${what}, which the operator of this site has forbidden to pods (${key}).`;
}
