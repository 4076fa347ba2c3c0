import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createJwtCallers } from "./jwt.ts";

/** An issuer that publishes the public halves of the keys it has. */
const issuing = createServer((request, response) => {
  asked.push(request.url ?? "");
  if (isAway) {
    response.socket?.destroy();
    return;
  }
  response.setHeader("content-type", "application/json");
  const document = { issuer, jwks_uri: `${issuer}/keys` };
  response.end(JSON.stringify(request.url === "/keys" ? { keys: published } : document));
});
let issuer = "";
let isAway = false;
let asked: string[] = [];
let published: object[] = [];
type Key = Awaited<ReturnType<typeof generateKeyPair>> & { kid: string };
let first: Key;
let second: Key;
const AUDIENCE = "interlink";

async function key(kid: string): Promise<Key> {
  return { ...(await generateKeyPair("ES256")), kid };
}

async function publish(...keys: Key[]): Promise<void> {
  published = await Promise.all(
    keys.map(async ({ publicKey, kid }) => ({
      ...(await exportJWK(publicKey)),
      kid,
      alg: "ES256",
    })),
  );
}

beforeAll(async () => {
  issuing.listen(0, "127.0.0.1");
  await once(issuing, "listening");
  issuer = `http://127.0.0.1:${(issuing.address() as AddressInfo).port}`;
  [first, second] = await Promise.all([key("first"), key("second")]);
});
afterAll(() => {
  issuing.closeAllConnections();
  issuing.close();
});
beforeEach(async () => {
  isAway = false;
  asked = [];
  await publish(first);
});

function signed(claims: JWTPayload = {}, by: Key = first): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: issuer, aud: AUDIENCE, exp: now + 600, ...claims };
  return new SignJWT(all).setProtectedHeader({ alg: "ES256", kid: by.kid }).sign(by.privateKey);
}

const callers = (options: object = {}) =>
  createJwtCallers({ issuer, audience: AUDIENCE, cooldownMs: 0, ...options });
const asking = (token: string) => ({
  method: "POST",
  path: "/create",
  headers: { authorization: `Bearer ${token}` },
});
const past = () => Math.floor(Date.now() / 1000) - 3600;
const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a token of an issuer", () => {
  test("is taken, and its keys are asked for once", async () => {
    const authenticate = callers();
    await authenticate(asking(await signed()));
    await authenticate(asking(await signed({ aud: ["other", AUDIENCE] })));
    expect(asked).toEqual(["/.well-known/openid-configuration", "/keys"]);
  });

  test.each<[string, () => Promise<string> | string, number]>([
    ["that has expired", () => signed({ exp: past() }), 401],
    ["that never expires", () => signed({ exp: undefined as unknown as number }), 401],
    ["that is not yet valid", () => signed({ nbf: past() + 7200 }), 401],
    ["for somebody else", () => signed({ aud: "other" }), 401],
    ["of another issuer", () => signed({ iss: "https://other.example.org" }), 401],
    ["of another key", () => signed({}, { ...second, kid: first.kid }), 401],
    ["that nobody signed", () => `${base64({ alg: "none" })}.${base64({ iss: issuer })}.`, 401],
    ["that is no token", () => "not-a-token", 401],
    ["of a hundred kilobytes", () => "x".repeat(100_000), 401],
  ])("%s is refused", async (_, token, httpStatus) => {
    const text = await token();
    const refusal: unknown = await Promise.resolve(callers()(asking(text))).catch(
      (error: unknown) => error,
    );
    expect(refusal).toMatchObject({ code: "refused", httpStatus });
    expect(JSON.stringify(refusal) + String(refusal)).not.toContain(text.slice(0, 40) || "-");
  });

  test("signed with the public key as a shared secret is refused", async () => {
    const secret = new TextEncoder().encode(JSON.stringify(published[0]));
    const token = await new SignJWT({ iss: issuer, aud: AUDIENCE, exp: past() + 7200 })
      .setProtectedHeader({ alg: "HS256", kid: first.kid })
      .sign(secret);
    await expect(callers()(asking(token))).rejects.toMatchObject({ httpStatus: 401 });
  });

  test("is taken by a key that the issuer has only now, and no more by one that it has no longer", async () => {
    const authenticate = callers();
    await authenticate(asking(await signed()));
    await publish(second);
    await authenticate(asking(await signed({}, second)));
    await expect(authenticate(asking(await signed()))).rejects.toMatchObject({ httpStatus: 401 });
  });

  test("is asked for again, not refused, while the issuer is away; afterwards it is taken", async () => {
    const authenticate = callers();
    isAway = true;
    await expect(authenticate(asking(await signed()))).rejects.toMatchObject({
      code: "unavailable",
    });
    isAway = false;
    await authenticate(asking(await signed()));
  });

  test.each([
    [{ groups: ["lab", "hpc"] }, true],
    [{ groups: "hpc" }, true],
    [{ groups: ["lab"] }, false],
    [{ groups: [["hpc"]] }, false],
    [{}, false],
  ])("with the claims %j may call if the group hpc may: %s", async (claims, isLetIn) => {
    const authenticate = callers({ claims: { groups: ["hpc", "admins"] } });
    const answer = Promise.resolve(authenticate(asking(await signed(claims))));
    if (isLetIn) await expect(answer).resolves.toEqual({});
    else await expect(answer).rejects.toMatchObject({ code: "refused" });
  });

  test("tells who calls, and by its claims the namespaces", async () => {
    const authenticate = callers({
      namespaces: { claim: "groups", mapping: { "/physics": ["physics", "physics-*"] } },
    });
    const token = await signed({ sub: "node-7", groups: ["/physics", "/other"] });
    expect(await authenticate(asking(token))).toEqual({
      name: "node-7",
      namespaces: ["physics", "physics-*"],
    });
    const nothing = await signed({ groups: ["/other"] });
    await expect(authenticate(asking(nothing))).rejects.toMatchObject({ httpStatus: 403 });
  });

  test("of any shape is taken or refused, and never breaks anything", async () => {
    const authenticate = callers();
    const part = fc.oneof(
      fc.base64String(),
      fc.string(),
      fc.json().map((text) => base64({ text })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 4 }), async (parts) => {
        await expect(authenticate(asking(parts.join(".")))).rejects.toMatchObject({
          code: "refused",
        });
      }),
      { numRuns: 100 },
    );
  });
});
