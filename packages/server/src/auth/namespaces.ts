import { type Caller, covers } from "@interlink/protocol";

/** Which namespaces a token allows. */
export interface NamespaceClaim {
  /** Name of the claim; dots go into objects where no claim has the whole name: `kubernetes.io.namespace`. */
  claim: string;
  /** Namespace patterns by the claim's value. Without: the value is the namespace, literally. */
  mapping?: Readonly<Record<string, readonly string[]>>;
}

/** Most that is looked at of one claim; a token has room for more. */
const MAX_VALUES = 1000;

/** The patterns for a token with these claims, each once; none if it may touch nothing. */
export function namespacesOf(
  claims: Readonly<Record<string, unknown>>,
  { claim, mapping }: NamespaceClaim,
): string[] {
  const values = [claimAt(claims, claim)]
    .flat()
    .slice(0, MAX_VALUES)
    .filter((value): value is string => typeof value === "string" && value !== "");
  const patterns = values.flatMap((value) => {
    // Whoever fills in the claim must not be able to say "all".
    if (mapping === undefined) return value.includes("*") ? [] : [value];
    return Object.hasOwn(mapping, value) ? (mapping[value] ?? []) : [];
  });
  return [...new Set(patterns)];
}

/** The claim of that name, else the longest one that the name begins with, and in it what the rest names. */
function claimAt(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  for (let dot = name.lastIndexOf("."); dot > 0; dot = name.lastIndexOf(".", dot - 1)) {
    const head = name.slice(0, dot);
    const inner = Object.hasOwn(claims, head) ? claims[head] : undefined;
    if (typeof inner === "object" && inner !== null && !Array.isArray(inner)) {
      return claimAt(inner as Record<string, unknown>, name.slice(dot + 1));
    }
  }
  return undefined;
}

/** Whether a caller may touch the pods of a namespace. A pattern is a name, or the beginning of names and `*`. */
export function mayTouch(caller: Caller | undefined, namespace: string): boolean {
  if (caller?.namespaces === undefined) return true;
  return caller.namespaces.some((pattern) => covers(pattern, namespace));
}
