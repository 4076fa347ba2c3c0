import { FUNCTIONS } from "./functions.ts";
import {
  ANY,
  describeType,
  fieldNames,
  fieldPath,
  type GoType,
  INT,
  NIL,
  STRING,
} from "./go-types.ts";
import type { Command, Node, Operand, ParsedTemplate, Pipe } from "./nodes.ts";
import { quantityMethod } from "./quantity-methods.ts";
import { errorAt, type Source } from "./template-error.ts";

interface Variable {
  name: string;
  type: GoType;
}

/**
 * Goes through all branches with types instead of data, so that a name that does not exist stops the start of the server
 * and not a pod. Throws TemplateError. What Go would find only while it runs, for a pod that takes this branch, is found as
 * well; what depends on the data is not.
 */
export function check(source: Source, template: ParsedTemplate, data: GoType): void {
  new Check(source, template).all(template.main, data, [{ name: "$", type: data }]);
}

class Check {
  private readonly source: Source;
  private readonly template: ParsedTemplate;
  private readonly checked = new Set<string>();

  constructor(source: Source, template: ParsedTemplate) {
    this.source = source;
    this.template = template;
  }

  all(nodes: readonly Node[], dot: GoType, variables: Variable[]): void {
    const before = variables.length;
    for (const node of nodes) this.one(node, dot, variables);
    variables.length = before;
  }

  private one(node: Node, dot: GoType, variables: Variable[]): void {
    switch (node.type) {
      case "print": {
        const type = this.pipe(node.pipe, dot, variables);
        if (node.pipe.variables.length === 0) this.printable(type, node.at);
        return;
      }
      case "if":
      case "with": {
        const before = variables.length;
        const type = this.pipe(node.pipe, dot, variables);
        this.all(node.body, node.type === "with" ? type : dot, variables);
        this.all(node.otherwise, dot, variables);
        variables.length = before;
        return;
      }
      case "range": {
        const before = variables.length;
        const { pipe } = node;
        const type = this.pipe({ ...pipe, variables: [] }, dot, variables);
        const [key, element] = this.elements(type, pipe.at);
        const [first, second] = pipe.variables;
        if (first !== undefined)
          this.set(pipe, first, second === undefined ? element : key, variables);
        if (second !== undefined) this.set(pipe, second, element, variables);
        this.all(node.body, element, variables);
        variables.length = before;
        this.all(node.otherwise, dot, variables);
        return;
      }
      case "template":
        this.called(node, dot, variables);
        return;
      case "text":
      case "break":
      case "continue":
        return;
    }
  }

  /** A defined template is checked once for each type that it is called with. */
  private called(node: Node & { type: "template" }, dot: GoType, variables: Variable[]): void {
    const type = node.pipe === undefined ? NIL : this.pipe(node.pipe, dot, variables);
    const nodes = this.template.defined.get(node.name);
    if (nodes === undefined) {
      throw errorAt(
        this.source,
        node.at,
        `there is no template ${JSON.stringify(node.name)}; define it in this file`,
      );
    }
    const key = JSON.stringify([node.name, type]);
    if (this.checked.has(key)) return;
    this.checked.add(key);
    this.all(nodes, type, [{ name: "$", type }]);
  }

  private pipe(pipe: Pipe, dot: GoType, variables: Variable[]): GoType {
    let type: GoType | undefined;
    for (const [index, command] of pipe.commands.entries()) {
      if (index > 0 && command.words[0]?.type !== "function") {
        throw errorAt(this.source, command.at, "only a function may stand after |");
      }
      type = this.command(command, type, dot, variables);
    }
    const result = type ?? NIL;
    for (const name of pipe.variables) this.set(pipe, name, result, variables);
    return result;
  }

  private set(pipe: Pipe, name: string, type: GoType, variables: Variable[]): void {
    const known = pipe.assigns ? variables.findLast((one) => one.name === name) : undefined;
    if (pipe.assigns && known === undefined) {
      throw errorAt(
        this.source,
        pipe.at,
        `there is no variable ${name} here; write := to make one`,
      );
    }
    if (known === undefined) variables.push({ name, type });
    // Which of the two values it has is known only with the data.
    else if (!sameType(known.type, type)) known.type = ANY;
  }

  private command(
    command: Command,
    piped: GoType | undefined,
    dot: GoType,
    variables: Variable[],
  ): GoType {
    const [first, ...words] = command.words;
    if (first?.type !== "function") {
      const type = this.operand(first as Operand, dot, variables);
      if (words.length > 0)
        throw errorAt(this.source, words[0]?.at ?? command.at, "only a function takes arguments");
      return type;
    }
    const types = [
      ...words.map((word) => this.operand(word, dot, variables)),
      ...(piped === undefined ? [] : [piped]),
    ];
    const { name, at } = first;
    if (name === "and" || name === "or") {
      if (types.length === 0) throw errorAt(this.source, at, `${name} needs at least 1 argument`);
      return types.every((type) => sameType(type, types[0] ?? ANY)) ? (types[0] ?? ANY) : ANY;
    }
    const known = FUNCTIONS[name] as (typeof FUNCTIONS)[string];
    const { least, most } = known;
    if (types.length < least || types.length > most) {
      const bounds =
        least === most
          ? `${least}`
          : most === Number.POSITIVE_INFINITY
            ? `at least ${least}`
            : `${least} to ${most}`;
      throw errorAt(this.source, at, `${name} needs ${bounds} arguments, not ${types.length}`);
    }
    return known.type(types);
  }

  private operand(operand: Operand, dot: GoType, variables: Variable[]): GoType {
    switch (operand.type) {
      case "literal":
        return operand.value.type;
      case "field":
        return this.fields(operand.at, dot, operand.names);
      case "variable": {
        const found = variables.findLast(({ name }) => name === operand.name);
        if (found === undefined) {
          throw errorAt(this.source, operand.at, `there is no variable ${operand.name} here`);
        }
        return this.fields(operand.at, found.type, operand.names);
      }
      case "pipe":
        return this.fields(operand.at, this.pipe(operand.pipe, dot, variables), operand.names);
      case "function":
        break;
    }
    return this.command({ at: operand.at, words: [operand] }, undefined, dot, variables);
  }

  private fields(at: number, from: GoType, names: readonly string[]): GoType {
    return names.reduce((type, name) => this.field(at, pointed(type), name), from);
  }

  private field(at: number, type: GoType, name: string): GoType {
    const method = quantityMethod(type, name);
    if (method !== undefined) return method.type;
    if (type.kind === "any" || type.kind === "nil") return ANY;
    if (type.kind === "map") return type.of;
    if (type.kind === "struct") {
      const last = fieldPath(type.name, name)?.at(-1);
      if (last !== undefined) return last.type;
      const same = fieldNames(type.name).find((one) => one.toLowerCase() === name.toLowerCase());
      const hint =
        same === undefined ? `it has ${fieldNames(type.name).join(", ")}` : `write ${same}`;
      throw errorAt(this.source, at, `${type.name} has no field ${name}; ${hint}`);
    }
    throw errorAt(this.source, at, `a ${describeType(type)} has no field ${name}`);
  }

  private elements(of: GoType, at: number): [GoType, GoType] {
    const type = pointed(of);
    if (type.kind === "list") return [INT, type.of];
    if (type.kind === "map") return [STRING, type.of];
    if (type.kind === "int") return [INT, INT];
    if (type.kind === "any" || type.kind === "nil") return [ANY, ANY];
    throw errorAt(this.source, at, `range cannot go over a ${describeType(type)}`);
  }

  private printable(of: GoType, at: number): void {
    let type = pointed(of);
    while (type.kind === "list" || type.kind === "map") type = pointed(type.of);
    if (type.kind !== "struct") return;
    throw errorAt(
      this.source,
      at,
      `a whole ${type.name} cannot be printed; name one of its fields`,
    );
  }
}

function pointed(type: GoType): GoType {
  return type.kind === "pointer" ? pointed(type.of) : type;
}

function sameType(a: GoType, b: GoType): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
