import { FLOAT, type GoValue, INT } from "./go-types.ts";
import { errorAt, type Source } from "./template-error.ts";

/** A number as it is written in a template. Throws TemplateError. */
export function numberOf(source: Source, at: number, text: string): GoValue {
  const plain = text.replaceAll("_", "");
  const sign = plain.startsWith("-") ? -1 : 1;
  const digits = plain.replace(/^[+-]/, "");
  // Go reads a leading 0 as octal.
  const value = sign * Number(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const type = /^0[xX]/.test(digits) || !/[.eE]/.test(digits) ? INT : FLOAT;
  if (!Number.isFinite(value) || (type === INT && !Number.isSafeInteger(value))) {
    throw errorAt(source, at, `${text} is no number, or too large`);
  }
  return { type, value };
}
