import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { anyOf, createTokenFile } from "@interlink/protocol";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createJwtCallers } from "./auth/jwt.ts";
import { fixture, send } from "./testing/go-caller.ts";
import { startSite, type TestSite } from "./testing/site.ts";

const TOKEN = "a-token-of-the-lab-0123456789";
let directory: string;
let site: TestSite;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "interlink-hostile-"));
  const file = join(directory, "tokens");
  await writeFile(file, `${TOKEN} lab\n`, { mode: 0o600 });
  const logger = { info: () => {}, warn: () => {} };
  site = await startSite({
    authenticate: anyOf([
      await createTokenFile({ file, logger, now: () => 0 }),
      // Its keys are at hand, so that tokens are judged and not the network.
      createJwtCallers({ issuer: "https://iam.example.org", audience: "interlink", keys: [] }),
    ]),
  });
  site.plugin.says("/create", "{}").says("/delete", "").says("/status", "[]").says("/getLogs", "");
});
afterAll(async () => {
  await site[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const endpoints: [string, string, string][] = [
  ["POST", "/create", fixture("create-request").body],
  ["POST", "/update", fixture("create-request").body],
  ["DELETE", "/delete", fixture("delete-request").body],
  ["GET", "/status", fixture("status-request").body],
  ["GET", "/getLogs", fixture("log-request").body],
  ["POST", "/pinglink", ""],
  ["POST", "/updateCache", "x"],
  ["GET", "/capabilities", ""],
  ["GET", "/status/stream", ""],
  ["GET", "/stats", ""],
  ["GET", "/exec?namespace=a", ""],
  ["GET", "/nothing", ""],
];

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const claims = {
  iss: "https://iam.example.org",
  aud: "interlink",
  sub: "x",
  exp: Math.floor(Date.now() / 1000) + 3600,
};
const alg = fc.constantFrom("none", "None", "HS256", "RS256", "ES256", "EdDSA", "", "x");
const hostile = fc.oneof(
  fc.constant(undefined),
  fc.string({ maxLength: 300 }).map((text) => text.replaceAll(/[^\t\x20-\x7e]/g, "?")),
  fc.string().map((text) => `Bearer ${text.replaceAll(/[^\x20-\x7e]/g, "?")}`),
  fc
    .tuple(alg, fc.string(), fc.base64String())
    .map(([name, kid, mark]) => `Bearer ${part({ alg: name, kid })}.${part(claims)}.${mark}`),
  fc
    .constantFrom(TOKEN.slice(0, -1), `${TOKEN}x`, TOKEN.toUpperCase())
    .map((one) => `Bearer ${one}`),
  fc.constantFrom(`Basic ${TOKEN}`, TOKEN, `Bearer${TOKEN}`, `Bearer ${"x".repeat(200_000)}`),
);

test.each(endpoints)("%s %s lets nobody in by a hostile header", async (method, path, body) => {
  await fc.assert(
    fc.asyncProperty(hostile, async (authorization) => {
      const before = site.plugin.requests.length;
      const headers = authorization === undefined ? {} : { authorization };
      const answer = await send(site.address, method, path, body, headers);
      expect(answer.code).toBe(401);
      expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
      expect(answer.body.length).toBeLessThan(300);
      expect(site.plugin.requests.length).toBe(before);
    }),
    { numRuns: 40 },
  );
  const known = await send(site.address, method, path, body, { authorization: `Bearer ${TOKEN}` });
  expect(known.code).not.toBe(401);
});
