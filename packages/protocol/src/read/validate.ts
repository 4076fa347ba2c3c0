import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { ProtocolError } from "../errors.ts";
import { coercerOf } from "./coerce.ts";

/** Reads an untrusted value into `T`, or throws a ProtocolError `invalid` that names the field. */
export type Reader<T> = (value: unknown) => T;

/**
 * A reader made from a schema: coerce first, judge after. `what` begins the sentence of the error.
 * Expects a value that passed `assertTame`.
 */
export function readerOf<T>(schema: TSchema, what: string): Reader<T> {
  const coerce = coercerOf(schema);
  const validator = Compile(schema);
  return (value) => {
    const shaped = coerce(value);
    if (validator.Check(shaped)) return shaped as T;
    throw new ProtocolError("invalid", `${what}: ${firstProblem(validator.Errors(shaped))}`);
  };
}

interface SchemaProblem {
  keyword: string;
  schemaPath: string;
  instancePath: string;
  message: string;
  params: object;
}

/** One sentence about the first problem. Values are never quoted: they may be secrets. */
function firstProblem(problems: readonly SchemaProblem[]): string {
  const problem = problems.find(({ keyword }) => keyword !== "boolean") ?? problems[0];
  if (problem === undefined) return "is not the message expected here";
  const field = fieldOf(problem.instancePath);
  if (problem.keyword === "additionalProperties") {
    return `${field} holds a key with characters that are not allowed`;
  }
  if (problem.keyword === "required") {
    const { requiredProperties } = problem.params as { requiredProperties?: string[] };
    return `${field} lacks ${(requiredProperties ?? []).join(", ") || "a required field"}`;
  }
  return `${field} ${problem.message}`;
}

/** `/spec/containers/0/name` → `spec.containers[0].name`, cut to a readable length. */
function fieldOf(instancePath: string): string {
  if (instancePath === "") return "it";
  const path = instancePath
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : `${index === 0 ? "" : "."}${part}`))
    .join("");
  return path.length > 200 ? `${path.slice(0, 200)}…` : path;
}
