import { goQuote } from "@interlink/protocol";
import { describeType, type GoValue } from "./go-types.ts";
import { isObject, settled, ValueError } from "./values.ts";

/** A value as Go prints it (`%v`). Throws ValueError for what has no useful form, such as a whole struct. */
export function printed(whole: GoValue): string {
  const { type, value } = settled(whole);
  switch (type.kind) {
    case "nil":
      return "<no value>";
    case "pointer":
      return "<nil>";
    case "any":
      if (value === undefined) return "";
      throw new ValueError("a whole object cannot be printed; name one of its fields");
    case "struct":
      throw new ValueError(`a whole ${type.name} cannot be printed; name one of its fields`);
    case "list":
      return `[${(value as unknown[]).map((one) => printed({ type: type.of, value: one })).join(" ")}]`;
    case "map": {
      const object = isObject(value) ? value : {};
      const pairs = Object.keys(object).toSorted();
      return `map[${pairs.map((key) => `${key}:${printed({ type: type.of, value: object[key] })}`).join(" ")}]`;
    }
    case "bytes":
      return `[${[...Buffer.from(String(value), "base64")].join(" ")}]`;
    case "float":
      return floatText(Number(value));
    case "string":
    case "int":
    case "bool":
    case "quantity":
      break;
  }
  return String(value);
}

/** Go's `%v` of a float: with an exponent from 1e6 up and below 1e-4. */
function floatText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) {
    return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  }
  return String(value);
}

const VERB = /%([-+# 0]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])|%/g;

/** Go's `fmt.Sprintf` with the verbs that scripts need. Throws ValueError for others, and for values that do not fit. */
export function formatted(format: string, values: readonly GoValue[]): string {
  let next = 0;
  const text = format.replace(VERB, (whole, flags = "", width, precision, verb) => {
    if (verb === undefined)
      throw new ValueError(`printf: ${goQuote(format)} ends in the middle of a verb`);
    if (verb === "%") return "%";
    const value = values[next++];
    if (value === undefined) throw new ValueError(`printf: there is no value for ${whole}`);
    const plain = withVerb(
      whole,
      verb,
      value,
      precision === undefined ? undefined : Number(precision),
      flags,
    );
    return padded(plain, flags, Number(width ?? 0), verb);
  });
  if (next < values.length) throw new ValueError(`printf: ${values.length - next} values too many`);
  return text;
}

function withVerb(
  whole: string,
  verb: string,
  value: GoValue,
  precision: number | undefined,
  flags: string,
): string {
  const { type, value: raw } = settled(value);
  const signed = (text: string): string =>
    flags.includes("+") && !text.startsWith("-") ? `+${text}` : text;
  const integer = (radix: number): string => {
    if (type.kind !== "int")
      throw new ValueError(`printf: ${whole} wants a whole number, not a ${describeType(type)}`);
    return signed(Number(raw).toString(radix));
  };
  const text = (): string =>
    type.kind === "bytes" ? Buffer.from(String(raw), "base64").toString("utf8") : printed(value);
  switch (verb) {
    case "v":
      return printed(value);
    case "s":
      return precision === undefined ? text() : Array.from(text()).slice(0, precision).join("");
    case "q":
      return goQuote(text());
    case "t":
      if (type.kind !== "bool")
        throw new ValueError(`printf: ${whole} wants true or false, not a ${describeType(type)}`);
      return String(raw);
    case "d":
      return integer(10);
    case "b":
      return integer(2);
    case "o":
      return integer(8);
    case "x":
    case "X": {
      const hex = type.kind === "int" ? integer(16) : Buffer.from(text()).toString("hex");
      return verb === "X" ? hex.toUpperCase() : hex;
    }
    case "f":
    case "F":
      if (type.kind !== "float")
        throw new ValueError(
          `printf: ${whole} wants a number with a fraction, not a ${describeType(type)}`,
        );
      return signed(Number(raw).toFixed(Math.min(precision ?? 6, 100)));
    default:
      throw new ValueError(
        `printf: ${whole} is not supported; use %s, %v, %d, %q, %t, %x, %X, %o, %b or %f`,
      );
  }
}

function padded(text: string, flags: string, width: number, verb: string): string {
  if (width > 10_000) throw new ValueError("printf: the width is too large");
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (flags.includes("-")) return text + " ".repeat(missing);
  if (!flags.includes("0") || verb === "s" || verb === "q" || verb === "v")
    return " ".repeat(missing) + text;
  const [, sign = "", digits = ""] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  return `${sign}${"0".repeat(missing)}${digits}`;
}
