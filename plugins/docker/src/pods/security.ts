import { RuntimeError } from "@interlink/plugin-sdk";
import type { Pod, PodSecurityContext, SecurityContext } from "kubernetes-types/core/v1.js";

/** What the two levels of a pod's security context say together. */
export interface EngineSecurity {
  User?: string;
  GroupAdd: string[];
  Privileged: boolean;
  ReadonlyRootfs: boolean;
  CapAdd: string[];
  CapDrop: string[];
  SecurityOpt: string[];
  /** Only for `procMount: Unmasked`: nothing of /proc is hidden or read-only. */
  MaskedPaths?: string[];
  ReadonlyPaths?: string[];
}

/** Whether {@link engineSecurity} needs to know the image's user. */
export function needsImageUser(pod: Pod, container: SecurityContext = {}): boolean {
  const context = { ...pod.spec?.securityContext, ...container };
  return (
    context.runAsUser === undefined &&
    (context.runAsNonRoot === true || context.runAsGroup !== undefined)
  );
}

/**
 * Throws `RuntimeError` `InvalidConfig` in the kubelet's words (`pkg/kubelet/kuberuntime/security_context_others.go`)
 * when `runAsNonRoot` is violated or cannot be verified. `imageUser` as in the image's configuration;
 * `seccompProfile` is what {@link localSeccompProfile} names, as the engine takes it.
 */
export function engineSecurity(
  pod: Pod,
  containerName: string,
  container: SecurityContext = {},
  imageUser = "",
  seccompProfile?: string,
): EngineSecurity {
  const podLevel: PodSecurityContext = pod.spec?.securityContext ?? {};
  const context = { ...podLevel, ...container };
  verifyNonRoot(pod, containerName, context, imageUser);
  const user = engineUser(context, imageUser);
  const groups = [
    ...(podLevel.supplementalGroups ?? []),
    ...(podLevel.fsGroup === undefined ? [] : [podLevel.fsGroup]),
  ];
  return {
    ...(user !== undefined && { User: user }),
    GroupAdd: [...new Set(groups.map(String))],
    Privileged: container.privileged ?? false,
    ReadonlyRootfs: container.readOnlyRootFilesystem ?? false,
    CapAdd: (container.capabilities?.add ?? []).map(capability),
    CapDrop: (container.capabilities?.drop ?? []).map(capability),
    SecurityOpt: securityOptions(context, container, seccompProfile),
    ...(container.procMount === "Unmasked" && { MaskedPaths: [], ReadonlyPaths: [] }),
  };
}

function engineUser(
  context: { runAsUser?: number; runAsGroup?: number },
  imageUser: string,
): string | undefined {
  const { runAsUser, runAsGroup } = context;
  if (runAsGroup === undefined) return runAsUser === undefined ? undefined : String(runAsUser);
  const [user] = imageUser.split(":");
  return `${runAsUser ?? (user === undefined || user === "" ? "0" : user)}:${runAsGroup}`;
}

function verifyNonRoot(
  pod: Pod,
  containerName: string,
  context: { runAsUser?: number; runAsNonRoot?: boolean },
  imageUser: string,
): void {
  if (context.runAsNonRoot !== true) return;
  const { name, namespace, uid } = pod.metadata ?? {};
  const where = `(pod: "${name}_${namespace}(${uid})", container: ${containerName})`;
  const [user = ""] = imageUser.split(":");
  if (context.runAsUser === 0) {
    throw new RuntimeError(
      "InvalidConfig",
      `container's runAsUser breaks non-root policy ${where}`,
    );
  }
  if (context.runAsUser !== undefined) return;
  if (user === "" || user === "root" || Number(user) === 0) {
    throw new RuntimeError(
      "InvalidConfig",
      `container has runAsNonRoot and image will run as root ${where}`,
    );
  }
  if (!/^\d+$/.test(user)) {
    throw new RuntimeError(
      "InvalidConfig",
      `container has runAsNonRoot and image has non-numeric user (${user}), cannot verify user is non-root ${where}`,
    );
  }
}

/** Name of the profile file that the container runs under, of seccomp type Localhost; `undefined` if it needs none. */
export function localSeccompProfile(pod: Pod, container: SecurityContext = {}): string | undefined {
  const { seccompProfile } = { ...pod.spec?.securityContext, ...container };
  return seccompProfile?.type === "Localhost" ? (seccompProfile.localhostProfile ?? "") : undefined;
}

/**
 * What the machine must have for the container's profiles to mean something: engines leave out what it has not. As under
 * a kubelet, a profile that nobody asked for may be missing.
 */
export function neededProfiles(
  pod: Pod,
  container: SecurityContext = {},
): ("AppArmor" | "seccomp")[] {
  const { appArmorProfile, seccompProfile } = { ...pod.spec?.securityContext, ...container };
  const isAsked = (profile?: { type: string }): boolean =>
    profile?.type === "Localhost" || profile?.type === "RuntimeDefault";
  return [
    ...(isAsked(appArmorProfile) ? (["AppArmor"] as const) : []),
    ...(isAsked(seccompProfile) ? (["seccomp"] as const) : []),
  ];
}

function securityOptions(
  context: Pick<SecurityContext, "appArmorProfile" | "seccompProfile" | "seLinuxOptions">,
  container: SecurityContext,
  seccompProfile: string | undefined,
): string[] {
  const options: string[] = [];
  if (container.allowPrivilegeEscalation === false) options.push("no-new-privileges:true");
  if (context.seccompProfile?.type === "Unconfined") options.push("seccomp=unconfined");
  if (seccompProfile !== undefined) options.push(`seccomp=${seccompProfile}`);
  const { type: appArmor, localhostProfile = "" } = context.appArmorProfile ?? {};
  if (appArmor === "Unconfined") options.push("apparmor=unconfined");
  if (appArmor === "Localhost") options.push(`apparmor=${localhostProfile}`);
  const { user, role, type, level } = context.seLinuxOptions ?? {};
  for (const [key, value] of Object.entries({ user, role, type, level })) {
    if (value !== undefined && value !== "") options.push(`label=${key}:${value}`);
  }
  return options;
}

/** Kubernetes knows them with and without `CAP_`, engines of all ages only without. */
function capability(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, "");
}
