import type { PodFailurePolicy, PodFailurePolicyRule } from "kubernetes-types/batch/v1.js";
import type { Pod } from "kubernetes-types/core/v1.js";

/** What a job does about a failed pod. `FailIndex` needs a limit per index, which is not had here: it counts. */
export interface FailureAction {
  action: "Count" | "Ignore" | "FailJob";
  /** Why, for the job's condition. */
  message: string;
}

const COUNT: FailureAction = { action: "Count", message: "" };

/** The first rule that a failed pod matches (pkg/controller/job/pod_failure_policy.go). */
export function failureAction(policy: PodFailurePolicy | undefined, pod: Pod): FailureAction {
  const where = `${pod.metadata?.namespace}/${pod.metadata?.name}`;
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const what = exitCodeMatch(rule, pod, where) ?? conditionMatch(rule, pod, where);
    if (what === undefined) continue;
    const { action } = rule;
    if (action !== "FailJob" && action !== "Ignore") return COUNT;
    return { action, message: `${what} matching ${action} rule at index ${index}` };
  }
  return COUNT;
}

function exitCodeMatch(
  { onExitCodes }: PodFailurePolicyRule,
  { status }: Pod,
  where: string,
): string | undefined {
  if (!onExitCodes) return undefined;
  const { containerName, operator, values } = onExitCodes;
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  for (const { name, state } of all) {
    const code = state?.terminated?.exitCode ?? 0;
    if (code === 0 || (containerName !== undefined && containerName !== name)) continue;
    if (values.includes(code) === (operator === "In")) {
      return `Container ${name} for pod ${where} failed with exit code ${code}`;
    }
  }
  return undefined;
}

function conditionMatch(
  { onPodConditions }: PodFailurePolicyRule,
  { status }: Pod,
  where: string,
): string | undefined {
  const found = (onPodConditions ?? []).find((wanted) =>
    status?.conditions?.some(
      ({ type, status: is }) => type === wanted.type && is === (wanted.status || "True"),
    ),
  );
  return found && `Pod ${where} has condition ${found.type}`;
}
