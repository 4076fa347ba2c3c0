import { RuntimeError } from "@interlink/plugin-sdk";
import type { Container, Pod } from "kubernetes-types/core/v1.js";

/**
 * Processes run as the user of the plugin, whatever a pod asks for. One that must not run as root is refused where that
 * user is root, in a kubelet's words (`pkg/kubelet/kuberuntime/security_context.go`). Throws `RuntimeError`
 * `InvalidConfig`. `ownUid`: `undefined` where there are no users.
 */
export function checkNonRoot(pod: Pod, container: Container, ownUid: number | undefined): void {
  const nonRoot =
    container.securityContext?.runAsNonRoot ?? pod.spec?.securityContext?.runAsNonRoot ?? false;
  if (!nonRoot || ownUid !== 0) return;
  const { name, namespace, uid } = pod.metadata ?? {};
  throw new RuntimeError(
    "InvalidConfig",
    `container has runAsNonRoot and image will run as root (pod: "${name}_${namespace}(${uid})", container: ${container.name})`,
  );
}
