import { errorAt, type Source } from "./template-error.ts";

/** A word of an action. `text` of strings is what they mean, not how they are written. */
export interface Token {
  kind:
    | "name"
    | "field"
    | "variable"
    | "string"
    | "number"
    | "("
    | ")"
    | "|"
    | ","
    | ":="
    | "="
    | ".";
  text: string;
  at: number;
  /** White space stood before it; `.A.B` is one operand, `.A .B` are two. */
  apart: boolean;
}

/** What a template is made of: text as it is, and actions. */
export type Piece =
  | { type: "text"; text: string }
  | { type: "action"; at: number; tokens: Token[] };

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
  "'": "'",
};

/** Sticky: tried at one place. The longest first. */
const WORDS: readonly [Token["kind"], RegExp][] = [
  [":=", /:=/y],
  ["=", /=/y],
  ["(", /\(/y],
  [")", /\)/y],
  ["|", /\|/y],
  [",", /,/y],
  [
    "number",
    /[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|[0-9][0-9_]*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)/y,
  ],
  ["field", /\.[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ["variable", /\$(?:[\p{L}_][\p{L}\p{Nd}_]*)?/uy],
  ["name", /[\p{L}_][\p{L}\p{Nd}_]*/uy],
  [".", /\./y],
];

/** Cuts a template into text and actions, with `{{-` and `-}}` done and comments left out. Throws TemplateError. */
export function pieces(source: Source): Piece[] {
  const { text } = source;
  const found: Piece[] = [];
  let at = 0;
  let trimNext = false;
  const addText = (end: number, trimEnd: boolean): void => {
    let part = text.slice(at, end);
    if (trimNext) part = part.replace(/^[ \t\r\n]+/, "");
    if (trimEnd) part = part.replace(/[ \t\r\n]+$/, "");
    if (part !== "") found.push({ type: "text", text: part });
  };
  for (let open = text.indexOf("{{"); open >= 0; open = text.indexOf("{{", at)) {
    const trims = /^\{\{-[ \t\r\n]/.test(text.slice(open, open + 4));
    addText(open, trims);
    const start = open + (trims ? 3 : 2);
    const comment = /^\s*\/\*/.test(text.slice(start, start + 100));
    const { tokens, end, trimsAfter } = comment
      ? skipComment(source, open, start)
      : readAction(source, open, start);
    if (tokens !== undefined) found.push({ type: "action", at: open, tokens });
    at = end;
    trimNext = trimsAfter;
  }
  addText(text.length, false);
  return found;
}

interface Action {
  tokens: Token[] | undefined;
  end: number;
  trimsAfter: boolean;
}

function skipComment(source: Source, open: number, start: number): Action {
  const close = source.text.indexOf("*/", start);
  if (close < 0) throw errorAt(source, open, "a comment is not closed; end it with */}}");
  const after = /^(\s+-)?\}\}/.exec(source.text.slice(close + 2, close + 40));
  if (after === null) throw errorAt(source, close, "after the comment's */ only }} may stand");
  return {
    tokens: undefined,
    end: close + 2 + after[0].length,
    trimsAfter: after[1] !== undefined,
  };
}

function readAction(source: Source, open: number, start: number): Action {
  const { text } = source;
  const tokens: Token[] = [];
  let at = start;
  let apart = true;
  while (at < text.length) {
    if (text.startsWith("}}", at)) return { tokens, end: at + 2, trimsAfter: false };
    const char = text[at] ?? "";
    if (/[ \t\r\n]/.test(char)) {
      if (/^[ \t\r\n]-\}\}/.test(text.slice(at, at + 4))) {
        return { tokens, end: at + 4, trimsAfter: true };
      }
      apart = true;
      at++;
      continue;
    }
    const token = readToken(source, at, apart);
    tokens.push(token.token);
    at = token.end;
    apart = false;
  }
  throw errorAt(source, open, "this action is not closed; end it with }}");
}

function readToken(source: Source, at: number, apart: boolean): { token: Token; end: number } {
  const { text } = source;
  const char = text[at] ?? "";
  if (char === '"') return readString(source, at, apart);
  if (char === "`") {
    const close = text.indexOf("`", at + 1);
    if (close < 0) throw errorAt(source, at, "this text is not closed; end it with `");
    return {
      token: { kind: "string", text: text.slice(at + 1, close), at, apart },
      end: close + 1,
    };
  }
  if (char === "'") {
    const { token, end } = readString(source, at, apart);
    if (!/^.$/su.test(token.text)) {
      throw errorAt(source, at, 'a text in single quotes is one character; write "text"');
    }
    const code = String(token.text.codePointAt(0));
    return { token: { ...token, kind: "number", text: code }, end };
  }
  for (const [kind, pattern] of WORDS) {
    pattern.lastIndex = at;
    const match = pattern.exec(text)?.[0];
    if (match !== undefined)
      return { token: { kind, text: match, at, apart }, end: at + match.length };
  }
  throw errorAt(source, at, `${JSON.stringify(char)} has no meaning in an action`);
}

function readString(source: Source, start: number, apart: boolean): { token: Token; end: number } {
  const { text } = source;
  const quote = text[start];
  let result = "";
  for (let at = start + 1; at < text.length; ) {
    const char = text[at] ?? "";
    if (char === quote) {
      return { token: { kind: "string", text: result, at: start, apart }, end: at + 1 };
    }
    if (char === "\n") break;
    if (char !== "\\") {
      result += char;
      at++;
      continue;
    }
    const coded = /^\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/.exec(
      text.slice(at, at + 10),
    );
    const simple = ESCAPES[text[at + 1] ?? ""];
    if (coded !== null) {
      const [all, x, u, U, octal] = coded;
      const code =
        octal === undefined ? Number.parseInt(x ?? u ?? U ?? "", 16) : Number.parseInt(octal, 8);
      if (code > 0x10ffff) throw errorAt(source, at, "there is no such character");
      result += String.fromCodePoint(code);
      at += all.length;
    } else if (simple !== undefined) {
      result += simple;
      at += 2;
    } else throw errorAt(source, at, "this escape is not known; a backslash itself is \\\\");
  }
  throw errorAt(source, start, `this text is not closed; end it with ${quote}`);
}
