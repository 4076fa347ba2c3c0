import { FUNCTIONS } from "./functions.ts";
import { type GoValue, NIL } from "./go-types.ts";
import type { Command, Node, Operand, ParsedTemplate, Pipe } from "./nodes.ts";
import { printed } from "./print.ts";
import { errorAt, type Source } from "./template-error.ts";
import { elementsOf, fieldOf, isTrue, ValueError } from "./values.ts";

/** What one execution may do: pods decide how often a range goes round. */
const MAX_STEPS = 1_000_000;
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_DEPTH = 200;

interface Variable {
  name: string;
  value: GoValue;
}

/** How a list of nodes ended. */
type Flow = "break" | "continue" | undefined;

/** The template's text for this data. Throws TemplateError for what only shows with the data. */
export function execute(source: Source, template: ParsedTemplate, data: GoValue): string {
  const run = new Run(source, template);
  run.all(template.main, data, [{ name: "$", value: data }]);
  return run.text();
}

class Run {
  private readonly source: Source;
  private readonly template: ParsedTemplate;
  private readonly parts: string[] = [];
  private bytes = 0;
  private steps = 0;
  private depth = 0;

  constructor(source: Source, template: ParsedTemplate) {
    this.source = source;
    this.template = template;
  }

  text(): string {
    return this.parts.join("");
  }

  /** `variables` grows and shrinks with the blocks. */
  all(nodes: readonly Node[], dot: GoValue, variables: Variable[]): Flow {
    const before = variables.length;
    for (const node of nodes) {
      const flow = this.one(node, dot, variables);
      if (flow !== undefined) {
        variables.length = before;
        return flow;
      }
    }
    variables.length = before;
    return undefined;
  }

  private one(node: Node, dot: GoValue, variables: Variable[]): Flow {
    const at = "at" in node ? node.at : 0;
    if (++this.steps > MAX_STEPS)
      throw errorAt(this.source, at, "this template takes too many steps");
    switch (node.type) {
      case "text":
        this.write(node.text, 0);
        return undefined;
      case "print": {
        const value = this.pipe(node.pipe, dot, variables);
        if (node.pipe.variables.length === 0) {
          this.write(
            this.guard(node.at, () => printed(value)),
            node.at,
          );
        }
        return undefined;
      }
      case "if":
      case "with": {
        const before = variables.length;
        const value = this.pipe(node.pipe, dot, variables);
        const holds = isTrue(value);
        const inner = node.type === "with" && holds ? value : dot;
        const flow = this.all(holds ? node.body : node.otherwise, inner, variables);
        variables.length = before;
        return flow;
      }
      case "range":
        this.range(node, dot, variables);
        return undefined;
      case "template": {
        const nodes = this.template.defined.get(node.name) ?? [];
        const value: GoValue =
          node.pipe === undefined
            ? { type: NIL, value: undefined }
            : this.pipe(node.pipe, dot, variables);
        if (++this.depth > MAX_DEPTH)
          throw errorAt(this.source, at, "templates call each other without end");
        this.all(nodes, value, [{ name: "$", value }]);
        this.depth--;
        return undefined;
      }
      case "break":
      case "continue":
        break;
    }
    return node.type;
  }

  private range(node: Node & { type: "range" }, dot: GoValue, variables: Variable[]): void {
    const { pipe } = node;
    const before = variables.length;
    const [first, second] = pipe.variables;
    const whole = this.pipe({ ...pipe, variables: [] }, dot, variables);
    const elements = this.guard(pipe.at, () => elementsOf(whole));
    for (const [key, element] of elements) {
      if (++this.steps > MAX_STEPS)
        throw errorAt(this.source, node.at, "this template takes too many steps");
      if (first !== undefined)
        this.set(pipe, first, second === undefined ? element : key, variables);
      if (second !== undefined) this.set(pipe, second, element, variables);
      const flow = this.all(node.body, element, variables);
      variables.length = before;
      if (flow === "break") break;
    }
    if (elements.length === 0) this.all(node.otherwise, dot, variables);
  }

  private pipe(pipe: Pipe, dot: GoValue, variables: Variable[]): GoValue {
    let value: GoValue | undefined;
    for (const command of pipe.commands) value = this.command(command, value, dot, variables);
    const result = value ?? { type: NIL, value: undefined };
    for (const name of pipe.variables) this.set(pipe, name, result, variables);
    return result;
  }

  private set(pipe: Pipe, name: string, value: GoValue, variables: Variable[]): void {
    const known = pipe.assigns ? variables.findLast((one) => one.name === name) : undefined;
    if (known === undefined) variables.push({ name, value });
    else known.value = value;
  }

  private command(
    command: Command,
    piped: GoValue | undefined,
    dot: GoValue,
    variables: Variable[],
  ): GoValue {
    const [first, ...words] = command.words;
    if (++this.steps > MAX_STEPS)
      throw errorAt(this.source, command.at, "this template takes too many steps");
    if (first?.type !== "function") return this.operand(first as Operand, dot, variables);
    const rest = piped === undefined ? [] : [piped];
    if (first.name === "and" || first.name === "or") {
      const decides = first.name === "or";
      let last: GoValue | undefined;
      for (const word of words) {
        last = this.operand(word, dot, variables);
        if (isTrue(last) === decides) return last;
      }
      return rest[0] ?? (last as GoValue);
    }
    const values = [...words.map((word) => this.operand(word, dot, variables)), ...rest];
    return this.guard(first.at, () =>
      (FUNCTIONS[first.name] as (typeof FUNCTIONS)[string]).call(values),
    );
  }

  private operand(operand: Operand, dot: GoValue, variables: Variable[]): GoValue {
    switch (operand.type) {
      case "literal":
        return operand.value;
      case "field":
        return this.fields(operand.at, dot, operand.names);
      case "variable": {
        const found = variables.findLast(({ name }) => name === operand.name);
        return this.fields(
          operand.at,
          found?.value ?? { type: NIL, value: undefined },
          operand.names,
        );
      }
      case "pipe":
        return this.fields(operand.at, this.pipe(operand.pipe, dot, variables), operand.names);
      case "function":
        break;
    }
    return this.command({ at: operand.at, words: [operand] }, undefined, dot, variables);
  }

  private fields(at: number, from: GoValue, names: readonly string[]): GoValue {
    return this.guard(at, () => names.reduce(fieldOf, from));
  }

  private write(text: string, at: number): void {
    this.bytes += text.length;
    if (this.bytes > MAX_BYTES)
      throw errorAt(this.source, at, "the job script is longer than 4 MiB");
    this.parts.push(text);
  }

  /** Adds the place to what goes wrong. */
  private guard<T>(at: number, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof ValueError) throw errorAt(this.source, at, error.message);
      throw error;
    }
  }
}
