import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Demultiplexer, type StreamPart } from "./demultiplexer.ts";
import { fixedTime, logBytes } from "./log-bytes.ts";

interface Message {
  source: "stdout" | "stderr";
  text: string;
}

function encode(messages: readonly Message[]): Buffer {
  return Buffer.concat(
    messages.map(({ source, text }) => {
      const header = Buffer.alloc(8);
      header[0] = source === "stdout" ? 1 : 2;
      header.writeUInt32BE(Buffer.byteLength(text), 4);
      return Buffer.concat([header, Buffer.from(text)]);
    }),
  );
}

function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

async function* stream(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function text(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString("utf8");
}

const messages = fc.array(
  fc.record({
    source: fc.constantFrom("stdout" as const, "stderr" as const),
    text: fc.string({ minLength: 1, unit: "binary" }),
  }),
);
const sizes = fc.array(fc.integer({ min: 1, max: 12 }));

describe("Demultiplexer", () => {
  it("gives back every message, wherever the stream is cut", () => {
    fc.assert(
      fc.property(messages, sizes, (sent, cuts) => {
        const demultiplexer = new Demultiplexer();
        const received: Message[] = [];
        let pieces: StreamPart[] = [];
        for (const chunk of cut(encode(sent), cuts)) {
          for (const part of demultiplexer.push(chunk)) {
            expect(part.first).toBe(pieces.length === 0);
            pieces.push(part);
            if (!part.last) continue;
            const bytes = Buffer.concat(pieces.map((piece) => piece.bytes));
            received.push({ source: part.source as "stdout", text: bytes.toString("utf8") });
            pieces = [];
          }
        }
        expect(pieces).toEqual([]);
        expect(received).toEqual(
          sent.map(({ source, text: words }) => ({
            source,
            text: Buffer.from(words).toString("utf8"),
          })),
        );
      }),
    );
  });

  it("passes over empty messages", () => {
    const sent = [
      { source: "stdout" as const, text: "" },
      { source: "stderr" as const, text: "x" },
    ];
    expect(new Demultiplexer().push(encode(sent))).toMatchObject([
      { source: "stderr", first: true },
    ]);
  });

  it("refuses a stream that is not made of messages", () => {
    expect(() => new Demultiplexer().push(Buffer.from("plain text"))).toThrow(
      "not made of messages",
    );
  });
});

describe("logBytes", () => {
  const plain = { multiplexed: true, timestamps: false };

  it("gives all bytes in their order, cut at the limit", async () => {
    await fc.assert(
      fc.asyncProperty(messages, sizes, fc.nat(50), async (sent, cuts, limitBytes) => {
        const bytes = encode(sent);
        const whole = Buffer.concat(sent.map((message) => Buffer.from(message.text)));
        expect(await text(logBytes(stream(cut(bytes, cuts)), plain))).toBe(whole.toString("utf8"));
        const limited = logBytes(stream(cut(bytes, cuts)), { ...plain, limitBytes });
        expect(await text(limited)).toBe(whole.subarray(0, limitBytes).toString("utf8"));
      }),
    );
  });

  it("leaves the log of a terminal as it is", async () => {
    const chunks = [Buffer.from("a\r\n"), Buffer.from([1, 0, 0, 0, 0, 0, 0, 9])];
    expect(await text(logBytes(stream(chunks), { multiplexed: false, timestamps: true }))).toBe(
      Buffer.concat(chunks).toString("utf8"),
    );
  });

  it("fails with what the engine says in the middle of its stream", async () => {
    const error = encode([{ source: "stdout", text: "Error grabbing logs" }]);
    error[0] = 3;
    await expect(text(logBytes(stream([error]), plain))).rejects.toThrow("Error grabbing logs");
  });

  it("has one time for each line, however many messages it came in", async () => {
    const at = (second: number): string => `2026-01-02T03:04:0${second}.5Z `;
    const sent: Message[] = [
      { source: "stdout", text: `${at(1)}begin ` },
      { source: "stderr", text: `${at(2)}other\n` },
      { source: "stdout", text: `${at(3)}middle ` },
      { source: "stdout", text: `${at(4)}end\n` },
      { source: "stdout", text: `${at(5)}next\n` },
    ];
    await fc.assert(
      fc.asyncProperty(sizes, async (cuts) => {
        const chunks = stream(cut(encode(sent), cuts));
        expect(await text(logBytes(chunks, { multiplexed: true, timestamps: true }))).toBe(
          "2026-01-02T03:04:01.500000000Z begin " +
            "2026-01-02T03:04:02.500000000Z other\n" +
            "middle end\n" +
            "2026-01-02T03:04:05.500000000Z next\n",
        );
      }),
    );
  });
});

it.each([
  ["2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456789Z"],
  ["2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.100000000Z"],
  ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000000Z"],
  ["2026-01-02T03:04:05.1+02:00", "2026-01-02T03:04:05.100000000+02:00"],
  ["yesterday", undefined],
])("writes the time %s as %s", (time, expected) => {
  expect(fixedTime(time)).toBe(expected);
});
