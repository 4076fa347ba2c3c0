import type { RetrievedPodData } from "@interlink/protocol";
import { check } from "./check.ts";
import { execute } from "./execute.ts";
import type { GoType } from "./go-types.ts";
import { parseTemplate } from "./parse.ts";

/** A template of job scripts that was found to be sound. */
export interface JobScriptTemplate {
  /** The job script of this pod. Throws TemplateError for what only shows with the data. */
  script(data: RetrievedPodData): string;
}

const DATA: GoType = { kind: "struct", name: "RetrievedPodData" };

/** Reads a template; `name` is told in errors. Throws TemplateError with the place of the first thing that is wrong. */
export function createJobScriptTemplate(name: string, text: string): JobScriptTemplate {
  const source = { name, text };
  const template = parseTemplate(source);
  check(source, template, DATA);
  return { script: (data) => execute(source, template, { type: DATA, value: data }) };
}
