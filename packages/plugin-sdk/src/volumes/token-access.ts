import type { Pod } from "kubernetes-types/core/v1.js";

/** How service account tokens lie in a pod's volumes; what is `undefined` stays as the volume says. */
export interface TokenAccess {
  mode?: number;
  uid?: number;
}

/**
 * Tokens are for the pod's user only, where there is one: mode 0600 and owned by it when every container runs as the
 * same user, mode 0600 (0640 with the group's share) when the pod has an `fsGroup`. Otherwise nobody knows who will
 * read them (Kubernetes `pkg/volume/projected/projected.go`, `FsUserFrom` of `pkg/volume/util`).
 */
export function tokenAccess({ spec }: Pod): TokenAccess {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const ofPod = spec?.securityContext;
  const users = new Set(
    containers.map(({ securityContext }) => securityContext?.runAsUser ?? ofPod?.runAsUser),
  );
  const [user] = users;
  if (users.size === 1 && typeof user === "number") return { mode: 0o600, uid: user };
  return typeof ofPod?.fsGroup === "number" ? { mode: 0o600 } : {};
}
