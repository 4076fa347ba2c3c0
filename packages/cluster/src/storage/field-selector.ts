import { badRequest } from "../api/api-error.ts";

export interface FieldTerm {
  field: string;
  equal: boolean;
  value: string;
}

function unescape(text: string): string {
  return text.replace(/\\([\\,=])/g, "$1");
}

/** The grammar of `fieldSelector=` (`k8s.io/apimachinery/pkg/fields`): `a=b,c!=d`, with `\` before `,`, `=` and `\`. */
export function parseFieldSelector(text: string): FieldTerm[] {
  const terms = text.match(/(?:\\.|[^,\\])+/g) ?? [];
  return terms.map((term) => {
    const parts = /^((?:\\.|[^=!\\])+)(==|!=|=)(.*)$/.exec(term);
    if (!parts) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
    return {
      field: (parts[1] ?? "").trim(),
      equal: parts[2] !== "!=",
      value: unescape(parts[3] ?? ""),
    };
  });
}

/**
 * Checks the terms against what the kind can be selected by (`known`); an unknown field is refused as the real server
 * does, since matching nothing in silence would be worse.
 */
export function checkFieldTerms(
  terms: readonly FieldTerm[],
  known: ReadonlySet<string>,
  kind: string,
): void {
  for (const term of terms) {
    if (!known.has(term.field)) {
      throw badRequest(
        `Unable to find "${kind}" that match label selector "", field selector "${term.field}${term.equal ? "=" : "!="}${term.value}": field label not supported: ${term.field}`,
      );
    }
  }
}

export function matchesFields(
  terms: readonly FieldTerm[],
  fields: Readonly<Record<string, string>>,
): boolean {
  return terms.every((term) => ((fields[term.field] ?? "") === term.value) === term.equal);
}
