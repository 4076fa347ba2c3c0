import { type Fields, isFields, sameJson } from "./json.ts";

/** How one list field is patched; a list that is not named here is replaced as a whole, which is the default. */
type ListRule =
  /** Elements are matched by this key; those that vanished are deleted if `deletes` says so. */
  | { merge: string; deletes: (element: Fields) => boolean }
  /** The schema merges by a key, but the whole list is meant: a `$patch: replace` element says so. */
  | { replace: true };

export interface DiffRules {
  lists: Readonly<Record<string, ListRule>>;
  /** Whether a top-level field that the new object lacks is to be removed; else it is another writer's. */
  owns: (field: string) => boolean;
}

/**
 * The strategic merge patch that turns `before` into `after`; undefined when nothing is to be done. Inside a field
 * that we own, what vanished becomes `null`.
 */
export function strategicDiff(before: Fields, after: Fields, rules: DiffRules): Fields | undefined {
  return diffFields(before, after, rules, rules.owns);
}

const always = (): boolean => true;

function diffFields(
  before: Fields,
  after: Fields,
  rules: DiffRules,
  owns: (field: string) => boolean,
): Fields | undefined {
  const patch: Fields = {};
  for (const [field, value] of Object.entries(after)) {
    if (value === undefined || sameJson(before[field], value)) continue;
    const change = diffValue(field, before[field], value, rules);
    if (change !== undefined) patch[field] = change;
  }
  for (const field of Object.keys(before))
    if (after[field] === undefined && !sameJson(before[field], undefined) && owns(field))
      patch[field] = null;
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function diffValue(field: string, before: unknown, after: unknown, rules: DiffRules): unknown {
  if (Array.isArray(after)) {
    const rule = rules.lists[field];
    if (rule === undefined) return after;
    if ("replace" in rule) {
      // Where there is no list yet, API servers up to 1.20 at least take the directive for an element.
      const isNew = before === undefined || before === null;
      return isNew ? after : [...(after as unknown[]), { $patch: "replace" }];
    }
    return diffList(rule, Array.isArray(before) ? before : [], after, rules);
  }
  return isFields(after) && isFields(before) ? diffFields(before, after, rules, always) : after;
}

function diffList(
  rule: { merge: string; deletes: (element: Fields) => boolean },
  before: readonly unknown[],
  after: readonly unknown[],
  rules: DiffRules,
): Fields[] | undefined {
  const key = rule.merge;
  const old = new Map(before.filter(isFields).map((element) => [element[key], element]));
  const kept = new Set(after.filter(isFields).map((element) => element[key]));
  const patch: Fields[] = [];
  for (const element of after.filter(isFields)) {
    const known = old.get(element[key]);
    const change = known === undefined ? element : diffFields(known, element, rules, always);
    if (change !== undefined) patch.push({ [key]: element[key], ...change });
  }
  for (const element of old.values())
    if (!kept.has(element[key]) && rule.deletes(element))
      patch.push({ [key]: element[key], $patch: "delete" });
  return patch.length === 0 ? undefined : patch;
}
