import { once } from "node:events";
import { PassThrough } from "node:stream";
import { ProtocolError, type RemotePodStatus, type StatusStreamRecord } from "@interlink/protocol";
import { expect, test } from "vitest";
import { type MergeOptions, mergeStreams, type StreamSource } from "./merged-stream.ts";

const at = "2026-01-01T00:00:00Z";
const synced: StatusStreamRecord = { type: "synced", at };
const status = (UID: string): StatusStreamRecord => ({
  type: "status",
  status: { UID, name: UID, namespace: "n", JID: "1", containers: [], initContainers: [] },
});

/** A plugin whose streams a test feeds, one after the other. */
class Plugin implements StreamSource {
  readonly failures: unknown[] = [];
  readonly opened: PassThrough[] = [];
  readonly name: string;
  private readonly own: string;
  private readonly openings = new PassThrough({ objectMode: true });

  constructor(name: string, own = name) {
    this.name = name;
    this.own = own;
  }

  async *open(signal: AbortSignal): AsyncGenerator<StatusStreamRecord> {
    const stream = new PassThrough({ objectMode: true });
    this.opened.push(stream);
    this.openings.write(this.opened.length);
    const end = (): void => void stream.destroy(signal.reason as Error);
    signal.addEventListener("abort", end);
    try {
      for await (const record of stream) yield record as StatusStreamRecord;
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  has(uid: string): boolean {
    return uid.startsWith(this.own);
  }

  failed(error: unknown): void {
    this.failures.push(error);
  }

  /** Its stream number `count`, once it is open. */
  async stream(count: number): Promise<PassThrough> {
    for (;;) {
      const found = this.opened.at(count - 1);
      if (found !== undefined) return found;
      await once(this.openings, "data");
    }
  }

  async says(count: number, ...records: StatusStreamRecord[]): Promise<void> {
    const stream = await this.stream(count);
    for (const record of records) stream.write(record);
  }
}

function merged(plugins: readonly Plugin[], over: Partial<MergeOptions> = {}) {
  const stop = new AbortController();
  const options = { signal: stop.signal, openMs: 60_000, retryMs: 1, ...over };
  const stream = mergeStreams(plugins, options);
  const next = async () => {
    const { value, done } = await stream.next();
    return done === true ? "end" : said(value);
  };
  return { next, stop: () => stop.abort(), stream };
}

function said(record: StatusStreamRecord): string {
  const { status: one } = record as { status?: RemotePodStatus };
  return one === undefined ? record.type : `${record.type} ${one.UID}`;
}

const pair = () => [new Plugin("a"), new Plugin("b")] as const;

test("each plugin's news is told as it comes, and that all is told only when all have told all", async () => {
  const [a, b] = pair();
  const { next, stop } = merged([a, b]);
  const first = next();
  await a.says(1, status("a1"), synced, status("a2"));
  expect([await first, await next()]).toEqual(["status a1", "status a2"]);
  await b.says(1, status("b1"), synced);
  expect([await next(), await next()]).toEqual(["status b1", "synced"]);
  await a.says(1, { type: "gone", UID: "a1", name: "p", namespace: "n" });
  expect(await next()).toBe("gone");
  stop();
  expect(await next()).toBe("end");
});

test("no plugin tells of the pods of another", async () => {
  const [a, b] = pair();
  const { next, stop } = merged([a, b]);
  const first = next();
  const event = { UID: "b1", name: "p", namespace: "n", type: "Normal", reason: "R", message: "m" };
  await a.says(
    1,
    status("b1"),
    { type: "gone", UID: "b1", name: "p", namespace: "n" },
    { type: "event", event: { ...event, at } } as StatusStreamRecord,
    status("a1"),
  );
  expect(await first).toBe("status a1");
  stop();
});

test("when one breaks, the others' news goes on; when it has told all anew, the whole begins anew", async () => {
  const [a, b] = pair();
  const { next } = merged([a, b]);
  const first = next();
  await a.says(1, synced);
  await b.says(1, synced);
  expect(await first).toBe("synced");
  const second = next();
  (await b.stream(1)).destroy(new Error("reset"));
  await b.says(2, status("b1"));
  await a.says(1, status("a1"));
  expect(await second).toBe("status a1");
  expect(b.failures).toHaveLength(1);
  // Its part of a story would be taken for the whole.
  await b.says(2, synced);
  expect(await next()).toBe("end");
});

test("plugins that do not begin are not waited for", async () => {
  await expect(merged(pair(), { openMs: 20 }).next()).rejects.toThrow("did not begin");
});

test("one that ends or breaks before all is told ends the whole, and the others' streams with it", async () => {
  for (const how of ["end", "destroy"] as const) {
    const [a, b] = pair();
    const { next } = merged([a, b]);
    const first = next();
    await a.says(1, status("a1"), synced);
    expect(await first).toBe("status a1");
    const ending = next();
    const stream = await b.stream(1);
    if (how === "end") stream.end();
    else stream.destroy(new ProtocolError("unreachable", "reset"));
    await expect(ending).rejects.toThrow(/ended its stream|reset/);
    const [own] = a.opened;
    expect(own?.destroyed).toBe(true);
  }
});

test("when all have broken, so has the whole", async () => {
  const [a, b] = pair();
  const { next } = merged([a, b], { retryMs: 60_000 });
  const first = next();
  await a.says(1, synced);
  await b.says(1, synced);
  expect(await first).toBe("synced");
  const ending = next();
  (await a.stream(1)).destroy(new Error("reset"));
  (await b.stream(1)).destroy(new Error("reset"));
  await expect(ending).rejects.toThrow("reset");
});

test("a reader who leaves lets go of all streams, also of those that wait for it", async () => {
  const [a, b] = pair();
  const { next, stream } = merged([a, b]);
  const first = next();
  await a.says(1, status("a1"), status("a2"), status("a3"));
  expect(await first).toBe("status a1");
  await b.stream(1);
  await stream.return();
  expect([...a.opened, ...b.opened].every(({ destroyed }) => destroyed)).toBe(true);
});
