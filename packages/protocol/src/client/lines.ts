import { ProtocolError } from "../errors.ts";

/**
 * Bytes to lines (NDJSON), without the newline; empty lines are skipped. A line longer than `maxBytes` throws
 * `bad-answer` before it is kept; an unfinished last line throws too, because half a record is not a record.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<string, void, undefined> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      const piece = bytes.subarray(start, end);
      if (restBytes + piece.length > maxBytes) throw tooLong(maxBytes);
      const line = Buffer.concat([...rest, piece])
        .toString("utf8")
        .trim();
      rest = [];
      restBytes = 0;
      start = end + 1;
      if (line !== "") yield line;
    }
    if (start < bytes.length) {
      rest.push(bytes.subarray(start));
      restBytes += bytes.length - start;
      if (restBytes > maxBytes) throw tooLong(maxBytes);
    }
  }
  if (restBytes > 0) {
    throw new ProtocolError("bad-answer", "the status stream ended in the middle of a line");
  }
}

function tooLong(maxBytes: number): ProtocolError {
  return new ProtocolError(
    "bad-answer",
    `the status stream holds a line longer than ${maxBytes} bytes`,
  );
}
