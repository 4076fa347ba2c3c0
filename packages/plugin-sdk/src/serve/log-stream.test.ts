import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { request } from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PluginError } from "../plugin-error.ts";
import { writeLog } from "./log-stream.ts";

let handle: (response: ServerResponse) => Promise<void>;
let failed: unknown;
const server = createServer((_request, response) => {
  handle(response).catch((error: unknown) => {
    failed = error;
    if (response.headersSent) response.destroy();
    else response.writeHead(500).end();
  });
});
let address: string;

beforeEach(async () => {
  failed = undefined;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

const signal = new AbortController().signal;

test("lets go of every piece once it is sent, however long the log is", async () => {
  // Asked for: when it comes by itself says nothing about who still holds what.
  setFlagsFromString("--expose_gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  async function* pieces() {
    for (let count = 0; count < 4096; count += 1) {
      if (count % 512 === 511) {
        collectGarbage();
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      }
      yield Buffer.alloc(64 * 1024, "x");
    }
  }
  handle = (response) => writeLog(response, {}, pieces(), { headersAfterMs: 0, signal });
  const { body } = await request(address);
  let bytes = 0;
  for await (const chunk of body) bytes += (chunk as Buffer).length;
  expect(bytes).toBe(256 * 1024 * 1024);
  // Far from all of it; what a collection has found free is given back by a thread of its own, a moment later.
  expect(most).toBeLessThan(bytes / 2);
});

test("tells an error as an answer of its own until the headers are due, and by a cut after that", async () => {
  let fail: () => void = () => undefined;
  async function* failing() {
    await new Promise<void>((resolve) => {
      fail = resolve;
    });
    yield* [];
    throw new PluginError("not-found", "No such pod.");
  }
  handle = (response) => writeLog(response, {}, failing(), { headersAfterMs: 0, signal });
  const begun = await request(address);
  expect(begun.statusCode).toBe(200);
  fail();
  await expect(begun.body.text()).rejects.toThrow();

  handle = (response) => {
    const written = writeLog(response, {}, failing(), { headersAfterMs: 60_000, signal });
    fail();
    return written;
  };
  expect((await request(address)).statusCode).toBe(500);
  expect(failed).toMatchObject({ code: "not-found" });
});
