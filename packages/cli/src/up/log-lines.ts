/**
 * Cut a stream of bytes into lines for the screen. A line without end is given out after `maxLine` bytes, and at the
 * end of the stream; invalid UTF-8 is replaced. Colours are taken out; of a line that was drawn over with carriage returns the last state is
 * given; other control characters, which could move the cursor, are shown as `�`.
 */
export async function* logLines(
  chunks: AsyncIterable<Uint8Array>,
  maxLine = 16_384,
): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8");
  let rest = "";
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield printable(line);
    for (; rest.length > maxLine; rest = rest.slice(maxLine))
      yield printable(rest.slice(0, maxLine));
  }
  rest += decoder.decode();
  if (rest !== "") yield printable(rest);
}

function printable(line: string): string {
  const drawn = line.replace(/\r+$/, "");
  return (
    drawn
      .slice(drawn.lastIndexOf("\r") + 1)
      // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
      .replace(/\u001B\[[0-9;:]*m/g, "")
      // oxlint-disable-next-line no-control-regex -- the same; C1 is the other way to write escapes
      .replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, "\uFFFD")
  );
}
