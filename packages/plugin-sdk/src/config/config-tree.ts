import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
} from "yaml";
import { ConfigError } from "./config-error.ts";
import { mappingOf, type SettingSchema } from "./config-schema.ts";
import { nearest } from "./nearest.ts";

/** A configuration file that was taken apart. */
export interface ConfigTree {
  /** Without the keys that are ignored or unknown. */
  value: Record<string, unknown>;
  /** Line of each key and list entry, by JSON pointer. */
  lines: ReadonlyMap<string, number>;
  /** `[line, sentence]` */
  notices: [number, string][];
  problems: [number, string][];
}

/** Far beyond what anybody writes by hand: what is larger was made to harm, or is no configuration. */
const MOST_VALUES = 100_000;
const MOST_LEVELS = 100;

/**
 * Reads YAML 1.1, as the Go programs do whose files these are: `yes` and `on` are booleans, a port may stand with or
 * without quotes, and a key without a value is as good as none. The schema says which keys there are and where text is
 * wanted. Throws `ConfigError` `syntax` with file and line.
 */
export function readConfigTree(schema: SettingSchema, text: string, file: string): ConfigTree {
  const counter = new LineCounter();
  const document = parsed(text, file, counter);
  const lineOf = (offset: number | undefined): number => counter.linePos(offset ?? 0).line;
  if (document.errors.length > 0) {
    throw new ConfigError(
      "syntax",
      document.errors.map(({ message, pos }) => `${file}:${lineOf(pos[0])}: ${sentence(message)}`),
      { cause: document.errors[0] },
    );
  }
  const lines = new Map<string, number>();
  const notices: [number, string][] = [];
  const problems: [number, string][] = [];
  let values = 0;

  function take(node: Node | null | undefined, one: SettingSchema, pointer: string): unknown {
    // A name may stand for what holds it, or for a thousand others.
    if (++values > MOST_VALUES || pointer.split("/").length > MOST_LEVELS) {
      const line = lineOf(node?.range?.[0]);
      throw new ConfigError("invalid", [
        `${file}:${line}: this is nested too deeply, or there is too much of it.`,
      ]);
    }
    if (isAlias(node)) return take(node.resolve(document), one, pointer);
    if (isMap(node)) return takeMap(node.items, mappingOf(one), pointer);
    if (isSeq(node)) {
      return node.items.map((item, index) => {
        const at = `${pointer}/${index}`;
        const entry = item as Node | null;
        lines.set(at, lineOf(entry?.range?.[0] ?? node.range?.[0]));
        return take(entry, one.items ?? {}, at);
      });
    }
    if (!isScalar(node)) return undefined;
    const { value, source } = node;
    // A number or a yes where text is wanted is what was written.
    return one.type === "string" && value !== null && typeof value !== "string" ? source : value;
  }

  function takeMap(
    pairs: readonly { key: unknown; value: unknown }[],
    one: SettingSchema,
    pointer: string,
  ): Record<string, unknown> {
    const taken: Record<string, unknown> = {};
    for (const { key, value } of pairs) {
      const name = String(isScalar(key) ? (key.source ?? key.value) : key);
      const line = lineOf((key as Node).range?.[0]);
      const [anyName] = Object.values(one.patternProperties ?? {});
      const known = one.properties === undefined ? (anyName ?? {}) : own(one.properties, name);
      if (known === undefined || name === "__proto__") {
        problems.push([line, unknownKey(name, one, schema)]);
      } else if (known.ignored !== undefined) {
        notices.push([line, `${name} is ignored: ${known.ignored}.`]);
      } else {
        const at = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
        lines.set(at, line);
        const inner = take(value as Node | null, known, at);
        // A key without a value.
        if (inner !== null && inner !== undefined) taken[name] = inner;
      }
    }
    return taken;
  }

  const root = document.contents;
  if (root !== null && !isMap(root) && !(isScalar(root) && root.value === null)) {
    throw new ConfigError("invalid", [`${file}: it holds no keys; it must be a YAML mapping.`]);
  }
  const value = isMap(root) ? takeMap(root.items, schema, "") : {};
  return { value, lines, notices, problems };
}

/** What the parser says, without the place and the picture of it that follow. */
const sentence = (message: string): string =>
  `${message.replace(/(?: at line \d+[^]*|\n[^]*)$/, "")}.`;

function parsed(text: string, file: string, lineCounter: LineCounter): Document.Parsed {
  try {
    return parseDocument(text, { version: "1.1", lineCounter, merge: true });
  } catch (cause) {
    // The parser's own limit: it is recursive.
    throw new ConfigError("syntax", [`${file}:1: it is nested too deeply to be read.`], { cause });
  }
}

/** Not what every object has, such as `constructor`. */
function own<T>(properties: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(properties, name) ? properties[name] : undefined;
}

function unknownKey(name: string, here: SettingSchema, whole: SettingSchema): string {
  const near =
    nearest(name, Object.keys(here.properties ?? {})) ?? nearest(name, namesIn(whole)) ?? "";
  return `there is no key "${name}" here${near === "" ? "" : `; did you mean "${near}"?`}`;
}

/** Every name at any depth: a key may have slipped out of its place. */
function namesIn(schema: SettingSchema): string[] {
  const { properties = {}, items } = mappingOf(schema);
  const inner = Object.entries(properties).flatMap(([name, one]) => [name, ...namesIn(one)]);
  return items === undefined ? inner : [...inner, ...namesIn(items)];
}
