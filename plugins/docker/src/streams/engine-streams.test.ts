import { Duplex, PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, it } from "vitest";
import { engineStreams, type StreamedProcess } from "./engine-streams.ts";

const ALL = { stdin: true, stdout: true, stderr: true };

function message(source: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = source;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

/** A connection whose other end the test is. */
function connected(more: Partial<StreamedProcess> = {}) {
  const toUs = new PassThrough();
  const fromUs = new PassThrough();
  const connection = Duplex.from({ readable: toUs, writable: fromUs });
  connection.on("error", () => undefined);
  let left = 0;
  const sizes: unknown[] = [];
  const streams = engineStreams(connection, ALL, {
    terminal: false,
    resize: (size) => sizes.push(size),
    end: () => Promise.resolve({ exitCode: 3 }),
    left: () => {
      left++;
    },
    ...more,
  });
  return { toUs, fromUs, streams, sizes, left: () => left };
}

it("keeps outputs apart and tells the end after them", async () => {
  const { toUs, streams, left } = connected();
  toUs.write(message(1, "out"));
  toUs.write(message(2, "err"));
  toUs.end(message(1, " more"));
  const [stdout, stderr] = await Promise.all([buffer(streams.stdout!), buffer(streams.stderr!)]);
  expect([stdout.toString(), stderr.toString()]).toEqual(["out more", "err"]);
  expect(await streams.ended).toEqual({ exitCode: 3 });
  expect(left()).toBe(0);
});

it("takes the output of a terminal as it is, and sizes for it", async () => {
  const { toUs, streams, sizes } = connected({ terminal: true });
  streams.resize({ width: 80, height: 24 });
  toUs.end("\x01 anything");
  expect((await buffer(streams.stdout!)).toString()).toBe("\x01 anything");
  await streams.ended;
  streams.resize({ width: 1, height: 1 });
  expect(sizes).toEqual([{ width: 80, height: 24 }]);
});

it("gives input on, and its end", async () => {
  const { fromUs, streams } = connected();
  streams.stdin?.end("typed");
  expect((await buffer(fromUs)).toString()).toBe("typed");
  streams.close();
});

it.each([
  ["the connection is cut", (toUs: PassThrough) => toUs.destroy(new Error("cut")), "cut"],
  [
    "the engine fails while it sends",
    (toUs: PassThrough) => toUs.write(message(3, "sick")),
    "sick",
  ],
  ["what comes is not made of messages", (toUs: PassThrough) => toUs.write("nonsense"), "messages"],
])("says so when %s, and lets the process know", async (_, act, words) => {
  const { toUs, streams, left } = connected();
  act(toUs);
  expect(await streams.ended).toEqual({ error: expect.stringContaining(words) as string });
  await expect(buffer(streams.stdout!)).rejects.toThrow(words);
  expect(left()).toBe(1);
});

it("tells why the end is not known", async () => {
  const { toUs, streams } = connected({ end: () => Promise.reject(new Error("engine away")) });
  streams.stdout?.resume();
  streams.stderr?.resume();
  toUs.end();
  expect(await streams.ended).toEqual({ error: "engine away" });
});

it("can be let go of at any time, once", async () => {
  const { streams, left } = connected();
  streams.close();
  streams.close();
  expect(await streams.ended).toEqual({ error: expect.any(String) as string });
  expect(left()).toBe(1);
  expect(streams.stdout?.destroyed).toBe(true);
  // Late input is lost without harm.
  streams.stdin?.write("late");
});

it("reads no further than its readers do", async () => {
  const { toUs, streams } = connected();
  const piece = message(1, "x".repeat(16_384));
  let written = 0;
  // Far more than the buffers on the way hold, on any Node.
  while (toUs.write(piece) || written < 100) written++;
  streams.stderr?.resume();
  await new Promise((resolve) => setImmediate(resolve));
  // It stays with us and the connection; none of it is taken off to somewhere else.
  expect(toUs.writableNeedDrain).toBe(true);
  toUs.end();
  expect((await buffer(streams.stdout!)).length).toBe((written + 1) * 16_384);
});
