import type { Container } from "kubernetes-types/core/v1.js";

/** `restartPolicyRules` of a container (Kubernetes ≥ 1.34), which the type package does not know yet. */
interface RestartRule {
  action?: string;
  exitCodes?: { operator?: string; values?: number[] };
}

/** An init container that keeps running beside the pod's containers (Kubernetes: "native sidecar"). */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

/**
 * Whether a container that ended with this exit code is started again: its own rules first, then its own policy, then
 * the pod's (Kubernetes `pkg/kubelet/container/helpers.go` ShouldContainerBeRestarted).
 */
export function mayRestart(
  container: Container,
  podPolicy: string | undefined,
  exitCode: number,
): boolean {
  const rules = (container as { restartPolicyRules?: RestartRule[] }).restartPolicyRules ?? [];
  if (rules.some((rule) => rule.action === "Restart" && ruleMatches(rule, exitCode))) return true;
  const policy = container.restartPolicy ?? podPolicy ?? "Always";
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

function ruleMatches(rule: RestartRule, exitCode: number): boolean {
  const listed = rule.exitCodes?.values?.includes(exitCode) ?? false;
  if (rule.exitCodes?.operator === "In") return listed;
  return rule.exitCodes?.operator === "NotIn" && !listed;
}
