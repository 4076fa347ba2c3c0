import type {
  Node,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodSpec,
  Taint,
  Toleration,
} from "kubernetes-types/core/v1.js";
import { matchesRequirement, type Requirement } from "../storage/label-selector.ts";
import type { Amounts } from "./requests.ts";

/** A node as the scheduler sees it. */
export interface Candidate {
  readonly node: Node;
  readonly allocatable: Amounts;
  readonly used: Amounts;
  readonly pods: number;
}

export interface Refusal {
  readonly reasons: readonly string[];
  /** Whether other pods' going could help (the sentence about preemption depends on it). */
  readonly resolvable: boolean;
}

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === "Exists") return true;
  return toleration.key !== undefined && (toleration.value ?? "") === (taint.value ?? "");
}

function tolerated(taint: Taint, tolerations: readonly Toleration[] | undefined): boolean {
  return (tolerations ?? []).some((toleration) => tolerates(toleration, taint));
}

const operators: Readonly<Record<string, Requirement["operator"]>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
  Gt: "gt",
  Lt: "lt",
};

function matchesExpression(
  expression: NodeSelectorRequirement,
  labels: Record<string, string>,
): boolean {
  const operator = operators[expression.operator];
  if (!operator) return false;
  return matchesRequirement(
    { key: expression.key, operator, values: expression.values ?? [] },
    labels,
  );
}

export function matchesTerm(term: NodeSelectorTerm, node: Node): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  return (
    expressions.every((item) => matchesExpression(item, node.metadata?.labels ?? {})) &&
    fields.every((item) => matchesExpression(item, { "metadata.name": node.metadata?.name ?? "" }))
  );
}

function matchesAffinity(spec: PodSpec, node: Node): boolean {
  const labels = node.metadata?.labels ?? {};
  const selected = Object.entries(spec.nodeSelector ?? {}).every(
    ([key, value]) => labels[key] === value,
  );
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (!selected || !required) return selected;
  return required.nodeSelectorTerms.some((term) => matchesTerm(term, node));
}

function lacking(requests: Amounts, candidate: Candidate): string[] {
  const reasons: string[] = [];
  const maxPods = (candidate.allocatable.pods ?? 0) / 1000;
  if (candidate.pods + 1 > maxPods) reasons.push("Too many pods");
  for (const [name, amount] of Object.entries(requests)) {
    if (amount === 0) continue;
    const free = (candidate.allocatable[name] ?? 0) - (candidate.used[name] ?? 0);
    if (amount > free) reasons.push(`Insufficient ${name}`);
  }
  return reasons;
}

/** Why the pod does not fit the node, in the words of the scheduler's plugins and in their order; undefined: it does. */
export function refuse(
  spec: PodSpec,
  requests: Amounts,
  candidate: Candidate,
): Refusal | undefined {
  const { node } = candidate;
  const unschedulable: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };
  if (node.spec?.unschedulable && !tolerated(unschedulable, spec.tolerations)) {
    return { reasons: ["node(s) were unschedulable"], resolvable: false };
  }
  const taint = (node.spec?.taints ?? []).find(
    (item) =>
      (item.effect === "NoSchedule" || item.effect === "NoExecute") &&
      !tolerated(item, spec.tolerations),
  );
  if (taint) {
    const text = `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ""}}`;
    return { reasons: [text], resolvable: false };
  }
  if (!matchesAffinity(spec, node)) {
    return { reasons: ["node(s) didn't match Pod's node affinity/selector"], resolvable: false };
  }
  const reasons = lacking(requests, candidate);
  return reasons.length > 0 ? { reasons, resolvable: true } : undefined;
}

/** Higher is better: room left after the pod (least allocated), preferences, and no PreferNoSchedule taints. */
export function score(spec: PodSpec, requests: Amounts, candidate: Candidate): number {
  const { node, allocatable, used } = candidate;
  const shares = ["cpu", "memory"].map((name) => {
    const all = allocatable[name] ?? 0;
    return all > 0 ? (all - (used[name] ?? 0) - (requests[name] ?? 0)) / all : 0;
  });
  const maxPods = (allocatable.pods ?? 0) / 1000;
  const room = maxPods > 0 ? (maxPods - candidate.pods) / maxPods : 0;
  const preferred =
    spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const weight = preferred
    .filter((term) => matchesTerm(term.preference, node))
    .reduce((sum, term) => sum + term.weight, 0);
  const avoided = (node.spec?.taints ?? []).filter(
    (taint) => taint.effect === "PreferNoSchedule" && !tolerated(taint, spec.tolerations),
  ).length;
  const least = shares.reduce((sum, share) => sum + share, room);
  return least + weight / 10 - avoided * 10;
}

/** `0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. preemption: ...` */
export function failureMessage(refusals: readonly Refusal[]): string {
  const total = refusals.length;
  if (total === 0) return "no nodes available to schedule pods";
  const counts = new Map<string, number>();
  for (const { reasons } of refusals) {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const listed = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  const helpless = refusals.filter((refusal) => !refusal.resolvable).length;
  const hopeful = total - helpless;
  const preemption = [
    ...(hopeful > 0 ? [`${hopeful} No preemption victims found for incoming pod`] : []),
    ...(helpless > 0 ? [`${helpless} Preemption is not helpful for scheduling`] : []),
  ].sort();
  const head = `0/${total} nodes are available:`;
  return `${head} ${listed.join(", ")}. preemption: ${head} ${preemption.join(", ")}.`;
}
