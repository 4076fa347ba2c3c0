import type { Node, Pod, Taint, Toleration } from "kubernetes-types/core/v1.js";

/** Whether a taint of the node drives the pod away at once: only those with the effect NoExecute do, at a kubelet. */
export function isDrivenAway(pod: Pod, node: Node): boolean {
  return (node.spec?.taints ?? []).some(
    (taint) =>
      taint.effect === "NoExecute" &&
      !(pod.spec?.tolerations ?? []).some((toleration) => tolerates(toleration, taint)),
  );
}

/** Kubernetes `core/v1` Toleration.ToleratesTaint. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { key, operator, value = "", effect } = toleration;
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  if (operator === "Exists") return true;
  return (operator ?? "Equal") === "Equal" && Boolean(key) && value === (taint.value ?? "");
}
