import type { KubeObject } from "../api/object.ts";
import {
  type ResourceDefinition,
  selectableFields,
  selectableNames,
} from "../resources/definition.ts";
import { checkFieldTerms, matchesFields, parseFieldSelector } from "../storage/field-selector.ts";
import { labelMatcher } from "../storage/label-selector.ts";

/** Which objects of a resource a list, watch or deletecollection means. */
export type Selection = (object: KubeObject) => boolean;

/** Throws BadRequest for selectors that cannot be read or that the kind does not know. */
export function parseSelection(
  definition: ResourceDefinition,
  namespace: string | undefined,
  name: string | undefined,
  query: URLSearchParams,
): Selection {
  const labels = query.get("labelSelector");
  const matchesLabels = labelMatcher(labels);
  const terms = parseFieldSelector(query.get("fieldSelector") ?? "");
  checkFieldTerms(terms, selectableNames(definition), definition.kind);
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    (name === undefined || object.metadata.name === name) &&
    (!labels || matchesLabels(object.metadata.labels)) &&
    (terms.length === 0 || matchesFields(terms, selectableFields(definition, object)));
}
