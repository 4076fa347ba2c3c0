/**
 * Splits a line into words as a POSIX shell would, and does nothing else that a shell does: `$`, backticks, `*`, `;` and
 * `#` are letters like any other. Quotes and backslashes are removed; a newline between words separates them.
 *
 * Throws a sentence for a quote that is not closed, a backslash at the very end, or a NUL.
 */
export function shellWords(line: string): string[] {
  if (line.includes("\0")) throw new Error("it holds a NUL");
  const words: string[] = [];
  let word: string | undefined;
  let quote: "" | "'" | '"' = "";
  for (let at = 0; at < line.length; at++) {
    const letter = line.charAt(at);
    if (quote === "'") {
      if (letter === "'") quote = "";
      else word += letter;
    } else if (letter === "\\" && (quote === "" || /[$`"\\\n]/.test(line.charAt(at + 1)))) {
      at++;
      if (at === line.length) throw new Error("it ends with a backslash");
      // A backslash before the end of a line joins the two lines.
      if (line.charAt(at) !== "\n") word = (word ?? "") + line.charAt(at);
    } else if (quote === '"') {
      if (letter === '"') quote = "";
      else word += letter;
    } else if (letter === "'" || letter === '"') {
      quote = letter;
      word ??= "";
    } else if (/[ \t\r\n]/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + letter;
    }
  }
  if (quote !== "") throw new Error(`a ${quote} is not closed`);
  if (word !== undefined) words.push(word);
  return words;
}

/** One word of a shell, whatever is in it: what {@link shellWords} gives back. */
export function shellQuoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
