import type { LabelSelector } from "kubernetes-types/meta/v1.js";
import { badRequest } from "../api/api-error.ts";

export type Labels = Record<string, string>;

export interface Requirement {
  key: string;
  operator: "in" | "notin" | "exists" | "!" | "gt" | "lt";
  values: readonly string[];
}

export type LabelMatcher = (labels: Labels | undefined) => boolean;

/** Splits at commas that are not inside parentheses. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === "(") depth += 1;
    else if (char === ")") depth -= 1;
    else if (char === "," && depth === 0) {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  }
  terms.push(text.slice(start));
  return terms.map((term) => term.trim()).filter((term) => term !== "");
}

const keyPattern = /^([A-Za-z0-9.-]+\/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const valuePattern = /^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$/;

function parseTerm(term: string): Requirement {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(term);
  if (set) {
    return {
      key: set[1] ?? "",
      operator: set[2] === "in" ? "in" : "notin",
      values: (set[3] ?? "").split(",").map((value) => value.trim()),
    };
  }
  const compare = /^([^=!<>\s]+)\s*(==|=|!=|>|<)\s*(.*)$/.exec(term);
  if (compare) {
    const operators = { "=": "in", "==": "in", "!=": "notin", ">": "gt", "<": "lt" } as const;
    const operator = operators[(compare[2] ?? "=") as keyof typeof operators];
    return { key: compare[1] ?? "", operator, values: [compare[3] ?? ""] };
  }
  if (term.startsWith("!")) return { key: term.slice(1).trim(), operator: "!", values: [] };
  return { key: term, operator: "exists", values: [] };
}

/** The grammar of `labelSelector=` (`k8s.io/apimachinery/pkg/labels`). Throws BadRequest. */
export function parseLabelSelector(text: string): Requirement[] {
  return splitTerms(text).map((term) => {
    const requirement = parseTerm(term);
    const sound =
      keyPattern.test(requirement.key) &&
      requirement.values.every((value) => valuePattern.test(value));
    if (!sound) throw badRequest(`unable to parse requirement: invalid label selector "${term}"`);
    return requirement;
  });
}

type Check = (value: string | undefined, wanted: readonly string[]) => boolean;

const checks: Readonly<Record<Requirement["operator"], Check>> = {
  exists: (value) => value !== undefined,
  "!": (value) => value === undefined,
  in: (value, wanted) => value !== undefined && wanted.includes(value),
  notin: (value, wanted) => value === undefined || !wanted.includes(value),
  gt: (value, wanted) => value !== undefined && Number(value) > Number(wanted[0]),
  lt: (value, wanted) => value !== undefined && Number(value) < Number(wanted[0]),
};

export function matchesRequirement(requirement: Requirement, labels: Labels | undefined): boolean {
  const { key, operator, values } = requirement;
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  return checks[operator](value, values);
}

export function labelMatcher(text: string | null | undefined): LabelMatcher {
  if (!text) return () => true;
  const requirements = parseLabelSelector(text);
  return (labels) => requirements.every((requirement) => matchesRequirement(requirement, labels));
}

/** A `metav1.LabelSelector` as a matcher; none at all matches nothing. */
export function selectorMatcher(selector: LabelSelector | undefined): LabelMatcher {
  if (!selector) return () => false;
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    requirements.push({ key, operator: "in", values: [value] });
  }
  const operators = { In: "in", NotIn: "notin", Exists: "exists", DoesNotExist: "!" } as const;
  for (const expression of selector.matchExpressions ?? []) {
    const operator = operators[expression.operator as keyof typeof operators];
    requirements.push({ key: expression.key, operator, values: expression.values ?? [] });
  }
  return (labels) => requirements.every((requirement) => matchesRequirement(requirement, labels));
}
