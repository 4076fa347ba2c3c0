import { SpdyError } from "./frames.ts";

/** Headers of a stream: names in lower case, several values of one name in order. */
export type StreamHeaders = ReadonlyMap<string, readonly string[]>;

/** Reads an inflated header block: a count, then names and values, each after its length. Throws SpdyError. */
export function decodeHeaders(block: Buffer): StreamHeaders {
  let at = 0;
  const number = (): number => {
    if (at + 4 > block.length) throw cutShort();
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const text = (): string => {
    const length = number();
    if (at + length > block.length) throw cutShort();
    at += length;
    return block.toString("utf8", at - length, at);
  };
  const headers = new Map<string, readonly string[]>();
  for (let left = number(); left > 0; left -= 1) {
    const name = text().toLowerCase();
    if (headers.has(name)) throw new SpdyError("a header block has a name twice");
    headers.set(name, text().split("\0"));
  }
  return headers;
}

function cutShort(): SpdyError {
  return new SpdyError("a header block is cut short");
}

export function encodeHeaders(headers: StreamHeaders): Buffer {
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const text = (value: string): Buffer[] => {
    const bytes = Buffer.from(value, "utf8");
    return [number(bytes.length), bytes];
  };
  const pairs = [...headers].flatMap(([name, values]) => [
    ...text(name.toLowerCase()),
    ...text(values.join("\0")),
  ]);
  return Buffer.concat([number(headers.size), ...pairs]);
}
