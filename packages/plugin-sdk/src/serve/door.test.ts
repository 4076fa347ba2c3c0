import { ProtocolError } from "@interlink/protocol";
import fc from "fast-check";
import { Client } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FakeProvider } from "../testing/fake-provider.ts";
import { recordingLogger } from "../testing/recording-logger.ts";
import type { RunningPlugin } from "./options.ts";
import { servePlugin } from "./serve-plugin.ts";

const TOKEN = "token-of-the-api-server-0123";
const { logger, lines } = recordingLogger();
let plugin: RunningPlugin;
let client: Client;
beforeAll(async () => {
  plugin = await servePlugin(new FakeProvider(), {
    listen: { host: "127.0.0.1", port: 0 },
    logger,
    authenticate({ headers }) {
      if (headers.authorization === `Bearer ${TOKEN}`) return;
      throw new ProtocolError("refused", "this server does not know the bearer token", {
        httpStatus: 401,
      });
    },
  });
  client = new Client(plugin.address);
});
afterAll(async () => {
  await client.destroy();
  await plugin.close();
});

async function ask(method: string, path: string, authorization?: string) {
  const headers = authorization === undefined ? {} : { authorization };
  const answer = await client.request({ method, path, headers });
  return { status: answer.statusCode, text: await answer.body.text() };
}

const PATHS: [string, string][] = [
  ["POST", "/create"],
  ["POST", "/delete"],
  ["GET", "/status"],
  ["GET", "/getLogs"],
  ["GET", "/status/stream"],
  ["GET", "/capabilities"],
  ["GET", "/stats"],
  ["GET", "/exec?namespace=a&pod=b&uid=c&container=d&command=id"],
  ["GET", "/port-forward?namespace=a&pod=b&uid=c&port=80"],
  ["GET", "/nothing"],
];

test.each(PATHS)("%s %s is for who is known, and tells others nothing", async (method, path) => {
  const shown = fc
    .string({ maxLength: 100 })
    .map((text) => `Bearer ${text.replaceAll(/[^\x20-\x7e]/g, "?")}`);
  await fc.assert(
    fc.asyncProperty(fc.option(shown, { nil: undefined }), async (authorization) => {
      const answer = await ask(method, path, authorization);
      expect(answer).toEqual({ status: 401, text: "This server does not know the bearer token." });
    }),
    { numRuns: 20 },
  );
});

test("who is known is answered; health and metrics are for everyone", async () => {
  expect((await ask("GET", "/capabilities", `Bearer ${TOKEN}`)).status).toBe(200);
  for (const path of ["/healthz", "/readyz", "/metrics"]) {
    expect((await ask("GET", path)).status).toBe(200);
  }
});

test("the same refusal is not logged again and again, and never with what was shown", async () => {
  for (let index = 0; index < 30; index++) await ask("GET", "/status", `Bearer shown-${index}`);
  const told = lines.filter((line) => "path" in line && line.path === "/status" && line.level > 20);
  expect(told).toHaveLength(1);
  expect(JSON.stringify(lines)).not.toContain("shown-");
});
