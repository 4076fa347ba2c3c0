const SHORT: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Go's `strconv.Quote` (`%q`), in which downward API files write labels and annotations. */
export function goQuote(text: string): string {
  let result = '"';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (SHORT[char] !== undefined) result += SHORT[char];
    else if (code < 0x20 || code === 0x7f) result += `\\x${hex(code, 2)}`;
    else if (PRINTABLE.test(char)) result += char;
    else if (code < 0x10000) result += `\\u${hex(code, 4)}`;
    else result += `\\U${hex(code, 8)}`;
  }
  return `${result}"`;
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, "0");
}
