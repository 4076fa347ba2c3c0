import { isAbsolute, normalize } from "node:path";
import type { Pod } from "kubernetes-types/core/v1.js";

/**
 * Where the claims of some namespaces and names lie: a directory of the engine's machine, or a named volume of the
 * engine. `{namespace}` and `{claim}` stand for what the pod says.
 */
export interface ClaimRule {
  /** A name, or a pattern with `*`. Default: every namespace. */
  namespace?: string;
  /** Likewise. Default: every claim. */
  claim?: string;
  /** Absolute; made if it is missing. */
  directory?: string;
  /** Name of a volume of the engine; made, of the driver `local`, if it is missing. */
  volume?: string;
  readOnly?: boolean;
}

/** Where one claim lies. */
export type ClaimPlace = { readOnly: boolean } & (
  | {
      directory: string;
      /** The directory that the rule names itself, before what follows from the pod's names. */
      within: string;
    }
  | { volume: string }
);

/** Names of claims and namespaces (DNS subdomains): nothing in them can lead anywhere in a path. */
const NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const PLACEHOLDER = /\{([^{}]*)\}/g;

/** The first rule that fits decides; `undefined` if none does, or the name is none. */
export function placeOfClaim(
  rules: readonly ClaimRule[],
  namespace: string,
  claim: string,
): ClaimPlace | undefined {
  if (!NAME.test(namespace) || !NAME.test(claim)) return undefined;
  const rule = rules.find(
    (one) => matches(one.namespace ?? "*", namespace) && matches(one.claim ?? "*", claim),
  );
  if (rule === undefined) return undefined;
  const values: Record<string, string> = { namespace, claim };
  const fill = (template: string): string =>
    template.replaceAll(PLACEHOLDER, (_, name: string) => values[name] ?? "");
  const readOnly = rule.readOnly ?? false;
  if (rule.directory !== undefined) {
    return {
      directory: normalize(fill(rule.directory)),
      within: fixedPart(rule.directory),
      readOnly,
    };
  }
  return { volume: fill(rule.volume ?? ""), readOnly };
}

function fixedPart(template: string): string {
  const brace = template.indexOf("{");
  if (brace < 0) return normalize(template);
  return normalize(template.slice(0, template.lastIndexOf("/", brace) + 1));
}

/** Throws a sentence about the first rule that cannot be meant. */
export function checkClaimRules(rules: readonly ClaimRule[]): void {
  for (const [index, rule] of rules.entries()) {
    const problem = ruleProblem(rule);
    if (problem !== undefined) throw new Error(`claims[${index}] ${problem}`);
  }
}

/** Named volumes of the engine by the pod's own names for them. */
export function claimedVolumes(pod: Pod, rules: readonly ClaimRule[]): Map<string, string> {
  const namespace = pod.metadata?.namespace ?? "";
  const found = new Map<string, string>();
  for (const { name, persistentVolumeClaim } of pod.spec?.volumes ?? []) {
    if (!persistentVolumeClaim) continue;
    const place = placeOfClaim(rules, namespace, persistentVolumeClaim.claimName);
    if (place !== undefined && "volume" in place) found.set(name, place.volume);
  }
  return found;
}

function ruleProblem({ directory, volume }: ClaimRule): string | undefined {
  if ((directory === undefined) === (volume === undefined)) {
    return "needs either a directory or a volume.";
  }
  const template = directory ?? volume ?? "";
  const unknown = [...template.matchAll(PLACEHOLDER)].find(
    ([, name]) => name !== "namespace" && name !== "claim",
  );
  if (unknown) return `has ${unknown[0]}; only {namespace} and {claim} are filled in.`;
  if (directory !== undefined && (!isAbsolute(directory) || directory.split("/").includes(".."))) {
    return `has the directory ${directory}, which is not an absolute path without "..".`;
  }
  if (volume !== undefined && !/^[A-Za-z0-9{][A-Za-z0-9_.{}-]+$/.test(volume)) {
    return `has the volume ${volume}, which engines do not take as a name.`;
  }
  return undefined;
}

function matches(pattern: string, name: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.\\+?^${}()|[\]]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(name);
}
