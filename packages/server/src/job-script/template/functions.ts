import {
  ANY,
  BOOL,
  describeType,
  type GoType,
  type GoValue,
  INT,
  NIL,
  STRING,
} from "./go-types.ts";
import { formatted, printed } from "./print.ts";
import { isObject, isTrue, settled, ValueError } from "./values.ts";

/** A function of templates; `and` and `or` are not among them, as they do not always look at all their arguments. */
export interface GoFunction {
  /** Arguments: at least, at most. */
  least: number;
  most: number;
  /** Of the result, from the types of the arguments. */
  type(types: readonly GoType[]): GoType;
  /** Throws ValueError. */
  call(values: readonly GoValue[]): GoValue;
}

const MANY = Number.POSITIVE_INFINITY;
const text = (value: string): GoValue => ({ type: STRING, value });
const bool = (value: boolean): GoValue => ({ type: BOOL, value });

const ordered = (holds: (order: number) => boolean): GoFunction => ({
  least: 2,
  most: 2,
  type: () => BOOL,
  call: ([a = nil, b = nil]) => bool(holds(compared(a, b))),
});
const escaping = (escape: (plain: string) => string): GoFunction => ({
  least: 0,
  most: MANY,
  type: () => STRING,
  call: (values) => text(escape(sprint(values))),
});
const nil: GoValue = { type: NIL, value: undefined };

export const FUNCTIONS: Readonly<Record<string, GoFunction>> = {
  not: { least: 1, most: 1, type: () => BOOL, call: ([value = nil]) => bool(!isTrue(value)) },
  eq: {
    least: 2,
    most: MANY,
    type: () => BOOL,
    call: ([first = nil, ...others]) => bool(others.some((other) => equal(first, other))),
  },
  ne: { least: 2, most: 2, type: () => BOOL, call: ([a = nil, b = nil]) => bool(!equal(a, b)) },
  lt: ordered((order) => order < 0),
  le: ordered((order) => order <= 0),
  gt: ordered((order) => order > 0),
  ge: ordered((order) => order >= 0),
  len: {
    least: 1,
    most: 1,
    type: () => INT,
    call: ([value = nil]) => ({ type: INT, value: lengthOf(value) }),
  },
  index: {
    least: 1,
    most: MANY,
    type: indexType,
    call: ([whole = nil, ...keys]) => keys.reduce(indexed, whole),
  },
  slice: { least: 1, most: 3, type: ([type = ANY]) => type, call: sliced },
  print: { least: 0, most: MANY, type: () => STRING, call: (values) => text(sprint(values)) },
  println: {
    least: 0,
    most: MANY,
    type: () => STRING,
    call: (values) => text(`${values.map(printed).join(" ")}\n`),
  },
  printf: {
    least: 1,
    most: MANY,
    type: () => STRING,
    call: ([format = nil, ...values]) => text(formatted(printed(format), values)),
  },
  html: escaping((plain) =>
    plain.replace(/[\0"'&<>]/g, (char) => (char === "\0" ? "\uFFFD" : `&${HTML[char]};`)),
  ),
  js: escaping((plain) => plain.replace(/[\\'"<>&=\p{Cc}]/gu, jsEscape)),
  urlquery: escaping((plain) =>
    encodeURIComponent(Buffer.from(plain).toString("utf8"))
      .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
      .replaceAll("%20", "+"),
  ),
  shellquote: escaping((plain) => `'${plain.replaceAll("'", `'\\''`)}'`),
};

const HTML: Readonly<Record<string, string>> = {
  '"': "#34",
  "'": "#39",
  "&": "amp",
  "<": "lt",
  ">": "gt",
};

function jsEscape(char: string): string {
  if (char === "\\" || char === "'" || char === '"') return `\\${char}`;
  return `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Go's `fmt.Sprint`: a space between two values of which neither is text. */
function sprint(values: readonly GoValue[]): string {
  return values
    .map((value, index) => {
      const before = values[index - 1];
      const apart = before !== undefined && !isText(before) && !isText(value);
      return `${apart ? " " : ""}${printed(value)}`;
    })
    .join("");
}

function isText(value: GoValue): boolean {
  return settled(value).type.kind === "string";
}

/** What is not set equals the zero of what it is compared with. Throws ValueError for types that have nothing in common. */
function equal(a: GoValue, b: GoValue): boolean {
  const [left, right] = [settled(a), settled(b)];
  if (isUnset(left) || isUnset(right)) {
    return isUnset(left) && isUnset(right) ? true : !isTrue(isUnset(left) ? right : left);
  }
  return compared(left, right) === 0;
}

function isUnset({ type, value }: GoValue): boolean {
  return value === undefined || type.kind === "nil";
}

/** Below, at or above 0. Throws ValueError. */
function compared(a: GoValue, b: GoValue): number {
  const left = settled(a);
  const right = settled(b);
  const [one, other] = [comparable(left, right), comparable(right, left)];
  if (one === undefined || other === undefined || typeof one !== typeof other) {
    throw new ValueError(
      `a ${describeType(left.type)} cannot be compared with a ${describeType(right.type)}`,
    );
  }
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function comparable(one: GoValue, other: GoValue): string | number | boolean | undefined {
  const { value } = one;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value;
  if (!isUnset(one)) return undefined;
  if (typeof other.value === "number") return 0;
  return typeof other.value === "boolean" ? false : "";
}

function lengthOf(whole: GoValue): number {
  const { type, value } = settled(whole);
  if (type.kind === "bytes") return Buffer.from(String(value), "base64").length;
  if (type.kind === "string") return Buffer.byteLength(String(value));
  if (Array.isArray(value)) return value.length;
  if (type.kind === "map" && isObject(value)) return Object.keys(value).length;
  if (isUnset({ type, value })) return 0;
  throw new ValueError(`a ${describeType(type)} has no length`);
}

function indexed(whole: GoValue, key: GoValue): GoValue {
  const { type, value } = settled(whole);
  const at = settled(key).value;
  if (type.kind === "list") {
    const list = value as unknown[];
    if (typeof at !== "number" || !Number.isInteger(at)) {
      throw new ValueError("the position in a list must be a whole number");
    }
    if (at < 0 || at >= list.length) {
      throw new ValueError(`there is no element ${at} in a list of ${list.length}`);
    }
    return { type: type.of, value: list[at] };
  }
  if (isObject(value) && (type.kind === "map" || type.kind === "any")) {
    if (typeof at !== "string") throw new ValueError("the key of a map must be text");
    const of = type.kind === "map" ? type.of : ANY;
    return { type: of, value: Object.hasOwn(value, at) ? value[at] : undefined };
  }
  if (type.kind === "any") return { type: ANY, value: undefined };
  throw new ValueError(`index of a ${describeType(type)}, which is neither list nor map`);
}

function indexType([whole = ANY, ...keys]: readonly GoType[]): GoType {
  return keys.reduce<GoType>((type) => {
    const inner = type.kind === "pointer" ? type.of : type;
    return inner.kind === "list" || inner.kind === "map" ? inner.of : ANY;
  }, whole);
}

function sliced([whole = nil, from, to]: readonly GoValue[]): GoValue {
  const { type, value } = settled(whole);
  if (typeof value !== "string" && !Array.isArray(value)) {
    throw new ValueError(`slice of a ${describeType(type)}, which is neither text nor list`);
  }
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  const position = (one: GoValue | undefined, otherwise: number): number => {
    const number = one === undefined ? otherwise : settled(one).value;
    if (typeof number !== "number" || number < 0 || number > bytes.length) {
      throw new ValueError(`slice: ${String(number)} is not from 0 to ${bytes.length}`);
    }
    return number;
  };
  const [start, end] = [position(from, 0), position(to, bytes.length)];
  if (start > end) throw new ValueError(`slice: ${start} is after ${end}`);
  const part = bytes.slice(start, end);
  return { type, value: Buffer.isBuffer(part) ? part.toString("utf8") : part };
}
