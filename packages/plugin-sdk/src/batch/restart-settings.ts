import type { Container } from "kubernetes-types/core/v1.js";
import type { RestartPolicy } from "../supervisor/planned-pod.ts";
import type { Settings } from "./encode.ts";

/** Of containers since Kubernetes 1.34; the type package does not know them yet. */
interface ContainerRestarts {
  restartPolicy?: string;
  restartPolicyRules?: {
    action?: string;
    exitCodes?: { operator?: string; values?: number[] };
  }[];
}

/**
 * What `il_restarts` of the script decides by, as `restartsAfter` of the supervisor does: the policy that counts for the
 * container, and its rules as words, `+1,2` for one of these exit codes and `-1,2` for none of them.
 */
export function restartSettings(container: Container, ofPod: RestartPolicy): Settings {
  const { restartPolicy, restartPolicyRules = [] }: ContainerRestarts = container;
  const rules = restartPolicyRules.flatMap(({ action, exitCodes }) => {
    const { operator, values = [] } = exitCodes ?? {};
    const codes = values.filter((value) => Number.isInteger(value)).join(",");
    if (action !== "Restart") return [];
    if (operator === "In") return [`+${codes}`];
    return operator === "NotIn" ? [`-${codes}`] : [];
  });
  return [
    ["policy", restartPolicy ?? ofPod],
    ["rules", rules.join(" ")],
  ];
}
