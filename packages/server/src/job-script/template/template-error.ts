/** What is wrong with a template, and where: `FILE:LINE:COLUMN: sentence`, columns counted from 1. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
  readonly line: number;
  readonly column: number;

  constructor(file: string, line: number, column: number, sentence: string) {
    super(`${file}:${line}:${column}: ${sentence}`);
    this.line = line;
    this.column = column;
  }
}

/** A template's name and text, to tell places in it. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

/** The error at an offset of the text. */
export function errorAt({ name, text }: Source, at: number, sentence: string): TemplateError {
  const before = text.slice(0, at).split("\n");
  return new TemplateError(name, before.length, (before.at(-1)?.length ?? 0) + 1, sentence);
}
