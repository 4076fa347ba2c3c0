import { ApiError, type ResourceName, type StatusCause } from "./api-error.ts";

/**
 * What is wrong with an object, field by field, in the words of `k8s.io/apimachinery/pkg/util/validation/field`.
 */
export class FieldErrors {
  readonly causes: StatusCause[] = [];

  required(field: string, detail = ""): void {
    this.#add("FieldValueRequired", field, detail ? `Required value: ${detail}` : "Required value");
  }

  invalid(field: string, value: unknown, detail: string): void {
    this.#add("FieldValueInvalid", field, `Invalid value: ${show(value)}: ${detail}`);
  }

  duplicate(field: string, value: unknown): void {
    this.#add("FieldValueDuplicate", field, `Duplicate value: ${show(value)}`);
  }

  notFound(field: string, value: unknown): void {
    this.#add("FieldValueNotFound", field, `Not found: ${show(value)}`);
  }

  forbidden(field: string, detail: string): void {
    this.#add("FieldValueForbidden", field, `Forbidden: ${detail}`);
  }

  notSupported(field: string, value: unknown, supported: readonly string[]): void {
    const list = [...supported].sort().map((item) => JSON.stringify(item));
    this.#add(
      "FieldValueNotSupported",
      field,
      `Unsupported value: ${show(value)}: supported values: ${list.join(", ")}`,
    );
  }

  #add(reason: string, field: string, message: string): void {
    this.causes.push({ reason, message, field });
  }

  /** Throws the 422 Invalid that kubectl prints, when anything was found. */
  throwIfAny(resource: ResourceName, name: string): void {
    if (this.causes.length === 0) return;
    const texts = [...new Set(this.causes.map((cause) => `${cause.field}: ${cause.message}`))];
    const list = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
    throw new ApiError(422, "Invalid", `${resource.kind} "${name}" is invalid: ${list}`, {
      name,
      ...(resource.group === "" ? {} : { group: resource.group }),
      kind: resource.kind,
      causes: this.causes,
    });
  }
}

function show(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : quoted(value);
}

function quoted(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
