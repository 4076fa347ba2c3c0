import type { GoValue } from "./go-types.ts";

/** A template, parsed. `at` is always an offset into its text. */
export type Node =
  | { type: "text"; text: string }
  | { type: "print"; at: number; pipe: Pipe }
  | { type: "if" | "with"; at: number; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | { type: "range"; at: number; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | { type: "template"; at: number; name: string; pipe: Pipe | undefined }
  | { type: "break" | "continue"; at: number };

/** `$a, $b := command | command`. */
export interface Pipe {
  at: number;
  /** With their `$`. */
  variables: string[];
  /** `=` instead of `:=`. */
  assigns: boolean;
  commands: Command[];
}

/** A function or a value, and its arguments. */
export interface Command {
  at: number;
  words: Operand[];
}

export type Operand =
  | { type: "literal"; at: number; value: GoValue }
  /** `.A.B`; without names the dot itself. */
  | { type: "field"; at: number; names: string[] }
  /** `$x.A.B`. */
  | { type: "variable"; at: number; name: string; names: string[] }
  | { type: "function"; at: number; name: string }
  /** `(pipe).A.B`. */
  | { type: "pipe"; at: number; pipe: Pipe; names: string[] };

/** The main template, and those that it defines by name. */
export interface ParsedTemplate {
  main: Node[];
  defined: ReadonlyMap<string, Node[]>;
}
