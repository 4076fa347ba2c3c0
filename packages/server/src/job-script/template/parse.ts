import { FUNCTION_NAMES } from "./function-names.ts";
import { BOOL, NIL, STRING } from "./go-types.ts";
import type { Command, Node, Operand, ParsedTemplate, Pipe } from "./nodes.ts";
import { numberOf } from "./numbers.ts";
import { errorAt, type Source, type TemplateError } from "./template-error.ts";
import { type Piece, pieces, type Token } from "./tokens.ts";

const KEYWORDS = [
  "if",
  "range",
  "with",
  "define",
  "block",
  "template",
  "break",
  "continue",
] as const;
type Keyword = (typeof KEYWORDS)[number];
/** Blocks in blocks, and parentheses in parentheses. */
const MAX_DEPTH = 200;

/**
 * Reads Go's text/template. Throws TemplateError with the first thing that is wrong: states are the nesting of blocks, and
 * within an action that of parentheses.
 */
export function parseTemplate(source: Source): ParsedTemplate {
  return new Parser(source).parse();
}

/** How a list of nodes came to its end. */
interface Ending {
  word: "else" | "end" | "eof";
  /** Of `else if …`: the words after `else`. */
  rest: Tokens;
}

class Parser {
  private readonly source: Source;
  private readonly queue: Piece[];
  private readonly defined = new Map<string, Node[]>();
  private next = 0;
  private depth = 0;
  private loops = 0;

  constructor(source: Source) {
    this.source = source;
    this.queue = pieces(source);
  }

  parse(): ParsedTemplate {
    const { nodes, ending } = this.nodes();
    if (ending.word !== "eof") {
      throw ending.rest.wrong(`{{${ending.word}}} without a block that it belongs to`);
    }
    return { main: nodes, defined: this.defined };
  }

  private nodes(): { nodes: Node[]; ending: Ending } {
    const nodes: Node[] = [];
    for (;;) {
      const piece = this.queue[this.next++];
      if (piece === undefined) {
        return { nodes, ending: { word: "eof", rest: this.tokens([], this.source.text.length) } };
      }
      if (piece.type === "text") {
        nodes.push(piece);
        continue;
      }
      const tokens = this.tokens(piece.tokens, piece.at);
      const word = tokens.peek()?.kind === "name" ? tokens.peek()?.text : undefined;
      if (word === "else" || word === "end") {
        tokens.take();
        if (word === "end") tokens.finish();
        return { nodes, ending: { word, rest: tokens } };
      }
      const keyword = KEYWORDS.find((one) => one === word);
      if (keyword === undefined) nodes.push({ type: "print", at: piece.at, pipe: tokens.pipe() });
      else {
        tokens.take();
        const node = this.block(keyword, piece.at, tokens);
        if (node !== undefined) nodes.push(node);
      }
    }
  }

  private block(keyword: Keyword, at: number, tokens: Tokens): Node | undefined {
    switch (keyword) {
      case "if":
      case "with":
      case "range":
        return this.branches(keyword, at, tokens);
      case "break":
      case "continue":
        if (this.loops === 0) throw errorAt(this.source, at, `{{${keyword}}} outside of a range`);
        tokens.finish();
        return { type: keyword, at };
      case "template": {
        const name = tokens.string("template");
        const pipe = tokens.peek() === undefined ? undefined : tokens.pipe();
        return { type: "template", at, name, pipe };
      }
      case "block":
      case "define":
        break;
    }
    return this.definition(keyword, at, tokens);
  }

  private definition(keyword: "block" | "define", at: number, tokens: Tokens): Node | undefined {
    const name = tokens.string(keyword);
    const pipe = keyword === "block" ? tokens.pipe() : undefined;
    tokens.finish();
    const loops = this.loops;
    this.loops = 0;
    const nodes = this.untilEnd(at, keyword);
    this.loops = loops;
    this.defined.set(name, nodes);
    return keyword === "block" ? { type: "template", at, name, pipe } : undefined;
  }

  private branches(type: "if" | "with" | "range", at: number, tokens: Tokens): Node {
    this.deeper(at);
    const pipe = tokens.pipe(type === "range");
    if (type === "range") this.loops++;
    const { nodes: body, ending } = this.nodes();
    if (type === "range") this.loops--;
    const otherwise = this.otherwise(type, at, ending);
    this.depth--;
    return { type, at, pipe, body, otherwise };
  }

  private otherwise(type: string, at: number, { word, rest }: Ending): Node[] {
    if (word === "end") return [];
    if (word === "eof") throw errorAt(this.source, at, `{{${type}}} without its {{end}}`);
    const next = rest.peek();
    if (next === undefined) return this.untilEnd(at, type);
    const chained = next.kind === "name" && (next.text === "if" || next.text === "with");
    if (!chained || type === "range" || next.text !== type) {
      throw rest.wrong(`after {{else only "${type === "range" ? "}}" : type}" may stand`);
    }
    rest.take();
    return [this.branches(next.text === "if" ? "if" : "with", next.at, rest)];
  }

  private untilEnd(at: number, type: string): Node[] {
    this.deeper(at);
    const { nodes, ending } = this.nodes();
    this.depth--;
    if (ending.word === "end") return nodes;
    if (ending.word === "eof") throw errorAt(this.source, at, `{{${type}}} without its {{end}}`);
    throw ending.rest.wrong(`a second {{else}} of this {{${type}}}`);
  }

  private deeper(at: number): void {
    if (++this.depth > MAX_DEPTH) throw errorAt(this.source, at, "blocks are nested too deep");
  }

  private tokens(tokens: Token[], at: number): Tokens {
    return new Tokens(this.source, tokens, at);
  }
}

/** The words of one action, taken from left to right. */
class Tokens {
  private readonly source: Source;
  private readonly tokens: Token[];
  private readonly at: number;
  private next = 0;
  private depth = 0;

  constructor(source: Source, tokens: Token[], at: number) {
    this.source = source;
    this.tokens = tokens;
    this.at = at;
  }

  peek(ahead = 0): Token | undefined {
    return this.tokens[this.next + ahead];
  }

  take(): Token {
    const token = this.tokens[this.next];
    if (token === undefined) throw this.wrong("something is missing at the end of this action");
    this.next++;
    return token;
  }

  wrong(sentence: string): TemplateError {
    return errorAt(this.source, this.peek()?.at ?? this.at, sentence);
  }

  finish(): void {
    if (this.peek() !== undefined) throw this.wrong("nothing more may stand in this action");
  }

  string(keyword: string): string {
    if (this.peek()?.kind !== "string") throw this.wrong(`give {{${keyword}}} a name: "name"`);
    return this.take().text;
  }

  /** A whole pipe, to the end of the action, or to the closing parenthesis that ends it. */
  pipe(isRange = false, inParentheses = false): Pipe {
    const at = this.peek()?.at ?? this.at;
    const { variables, assigns } = this.declarations(isRange);
    const commands: Command[] = [];
    for (;;) {
      commands.push(this.command());
      const next = this.peek();
      if (next === undefined || next.kind === ")") {
        if (inParentheses !== (next !== undefined)) {
          throw this.wrong(inParentheses ? "a parenthesis is not closed" : "there is a ) too many");
        }
        return { at, variables, assigns, commands };
      }
      this.take();
    }
  }

  private declarations(isRange: boolean): { variables: string[]; assigns: boolean } {
    const names: string[] = [];
    for (let ahead = 0; this.peek(ahead)?.kind === "variable"; ahead += 2) {
      names.push(this.peek(ahead)?.text ?? "");
      const after = this.peek(ahead + 1)?.kind;
      if (after === ":=" || after === "=") {
        if (names.includes("$")) throw this.wrong("$ itself cannot be set");
        if (names.length > (isRange ? 2 : 1)) throw this.wrong("there are too many variables");
        this.next += ahead + 2;
        return { variables: names, assigns: after === "=" };
      }
      if (after !== ",") break;
    }
    return { variables: [], assigns: false };
  }

  private command(): Command {
    const at = this.peek()?.at ?? this.at;
    const words: Operand[] = [];
    for (;;) {
      const token = this.peek();
      if (token === undefined || token.kind === "|" || token.kind === ")") break;
      if (words.length > 0 && !token.apart) throw this.wrong("put a space between two values");
      words.push(this.operand());
    }
    const [first] = words;
    if (first === undefined) throw this.wrong("a value is missing");
    if (words.length > 1 && first.type !== "function" && !mayBeMethod(first)) {
      throw errorAt(this.source, words[1]?.at ?? at, "only a function takes arguments");
    }
    return { at, words };
  }

  private operand(): Operand {
    const token = this.take();
    const { at, text } = token;
    switch (token.kind) {
      case "field":
        return { type: "field", at, names: [text.slice(1), ...this.names()] };
      case ".":
        return { type: "field", at, names: [] };
      case "variable":
        return { type: "variable", at, name: text, names: this.names() };
      case "string":
        return { type: "literal", at, value: { type: STRING, value: text } };
      case "number":
        return { type: "literal", at, value: numberOf(this.source, at, text) };
      case "name":
        if (text === "true" || text === "false") {
          return { type: "literal", at, value: { type: BOOL, value: text === "true" } };
        }
        if (text === "nil") return { type: "literal", at, value: { type: NIL, value: undefined } };
        if (!FUNCTION_NAMES.includes(text)) {
          throw errorAt(
            this.source,
            at,
            `there is no function ${text}; there are ${FUNCTION_NAMES.join(", ")}`,
          );
        }
        return { type: "function", at, name: text };
      case "(": {
        if (++this.depth > MAX_DEPTH) throw this.wrong("parentheses are nested too deep");
        const pipe = this.pipe(false, true);
        this.depth--;
        this.take();
        return { type: "pipe", at, pipe, names: this.names() };
      }
      case ")":
      case "|":
      case ",":
      case ":=":
      case "=":
        break;
    }
    throw errorAt(this.source, at, `${text} may not stand here`);
  }

  /** `.B.C` right behind an operand. */
  private names(): string[] {
    const names: string[] = [];
    for (let token = this.peek(); token?.kind === "field" && !token.apart; token = this.peek()) {
      names.push(this.take().text.slice(1));
    }
    return names;
  }
}

/** Go's templates may call methods with arguments; that none of ours has any is said when types are checked. */
function mayBeMethod(operand: Operand): boolean {
  return operand.type !== "literal" && operand.type !== "function" && operand.names.length > 0;
}
