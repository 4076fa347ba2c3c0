import { ProtocolError } from "../errors.ts";
import { isJsonObject } from "../read/json.ts";

const MAX_WORDS = 8_192;

/** A peer's non-2xx answer as an error in the peer's own words. */
export function refusal(httpStatus: number, body: string): ProtocolError {
  const words = readableWords(body);
  return new ProtocolError(
    "refused",
    words === "" ? `the peer answered HTTP ${httpStatus} without a word` : words,
    { httpStatus },
  );
}

/**
 * What a peer meant to tell a person. Undoes what old API servers do to a plugin's error (HTML escapes, and the
 * wrapping `HTTP InterLink session <id>:  call exit status: 500. Body: …`), then takes the sentence out of the usual
 * JSON forms (`{"error"}`, `{"detail"}`, `{"message"}`, `{"err"}`) and out of HTML pages.
 */
export function readableWords(body: string): string {
  let words = withoutWrapping(body.slice(0, 4 * MAX_WORDS).trim());
  words = sentenceOfJson(words) ?? words;
  if (/^<(!doctype|html)/i.test(words)) words = textOfHtml(words);
  return words.length > MAX_WORDS ? `${words.slice(0, MAX_WORDS)}…` : words;
}

const WRAPPING = /^HTTP InterLink session [^\n]{0,256}? {1,2}call exit status: \d{3}\. Body: /;

/**
 * A plugin's answer without what old API servers put around anything but a 200; also around a 201, which is no error here
 * (reference: wire and node, 1.6, A11).
 */
export function withoutWrapping(body: string): string {
  let inner = body;
  while (WRAPPING.test(inner)) inner = unescapeHtml(inner.replace(WRAPPING, "")).trim();
  return inner;
}

function unescapeHtml(text: string): string {
  const named: Record<string, string> = {
    "&lt;": "<",
    "&gt;": ">",
    "&amp;": "&",
    "&#34;": '"',
    "&#39;": "'",
    "&quot;": '"',
  };
  return text.replace(/&(lt|gt|amp|quot|#34|#39);/g, (escape) => named[escape] ?? escape);
}

function sentenceOfJson(text: string): string | undefined {
  if (!text.startsWith("{") && !text.startsWith('"')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // Not JSON after all: the text itself is the message.
  }
  if (typeof value === "string") return value;
  if (!isJsonObject(value)) return undefined;
  for (const key of ["error", "detail", "message", "err", "msg"]) {
    const found = value[key];
    if (typeof found === "string" && found !== "") return found;
    if (Array.isArray(found)) return found.map(oneDetail).join("; ");
  }
  return undefined;
}

/** FastAPI's validation details: `{"loc": ["body", "pod"], "msg": "field required"}`. */
function oneDetail(detail: unknown): string {
  if (!isJsonObject(detail) || typeof detail["msg"] !== "string") return JSON.stringify(detail);
  const loc = detail["loc"];
  return Array.isArray(loc) ? `${loc.join(".")}: ${detail["msg"]}` : detail["msg"];
}

function textOfHtml(html: string): string {
  const text = html
    .replace(/<(script|style|title)\b[^>]*>[^]*?<\/\1>/gi, " ")
    .replace(/<[^>]*>/g, " ");
  return unescapeHtml(text).replace(/\s+/g, " ").trim();
}
