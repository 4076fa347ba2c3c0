import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixture, send } from "./testing/go-caller.ts";
import { startSite, type TestSite } from "./testing/site.ts";

const limits = { createBytes: 20_000, statusBytes: 20_000, otherBytes: 5_000 };
let site: TestSite;
beforeAll(async () => {
  site = await startSite({ limits });
  // Anything that gets through would be answered well, so that only the requests noted can tell.
  site.plugin.says("/create", "{}").says("/delete", "").says("/status", "[]").says("/getLogs", "");
});
afterAll(() => site[Symbol.asyncDispose]());

/** Endpoints with a body, by what a Go caller sends there. */
const endpoints = [
  { method: "POST", path: "/create", valid: fixture("create-request").body },
  { method: "DELETE", path: "/delete", valid: fixture("delete-request").body },
  { method: "GET", path: "/status", valid: fixture("status-request").body },
  { method: "GET", path: "/getLogs", valid: fixture("log-request").body },
  { method: "POST", path: "/updateCache", valid: "x" },
];

/** Refused with a sentence; nothing reached the plugin; the process lives. */
async function refused(method: string, path: string, body: string | Uint8Array): Promise<void> {
  const before = site.plugin.requests.length;
  const answer = await send(site.address, method, path, body);
  expect(answer.code).toBeGreaterThanOrEqual(400);
  expect(answer.code).toBeLessThan(500);
  expect(answer.body).not.toBe("");
  expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
  expect(site.plugin.requests.length).toBe(before);
  expect((await send(site.address, "GET", "/healthz")).code).toBe(200);
}

/** JSON that is no valid message of any endpoint, hostile keys included. `null` and `[]` are valid status questions. */
const wrongJson = fc
  .oneof(
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc
      .tuple(
        fc.constantFrom("__proto__", "constructor", "pod", "metadata", "Namespace", "spec"),
        fc.jsonValue(),
      )
      .map(([key, value]) => `{"${key}":${JSON.stringify(value)}}`),
    fc.nat(2_000).map((depth) => `${"[".repeat(depth + 1)}1${"]".repeat(depth + 1)}`),
  )
  .filter((text) => text !== "null" && text !== "[]" && !/^"[A-Za-z0-9][A-Za-z0-9-]*"$/.test(text));

const wrongBytes = fc
  .uint8Array({ minLength: 1, maxLength: 200 })
  .filter(
    (bytes) =>
      !/^\s*[A-Za-z0-9-]+\s*$|^\s*null\s*$|^\s*\[\s*\]\s*$/.test(Buffer.from(bytes).toString()),
  );

describe.each(endpoints)("$method $path", ({ method, path, valid }) => {
  it("refuses any wrong JSON", async () => {
    await fc.assert(
      fc.asyncProperty(
        // A bare number is a bare word, and /updateCache takes those for UIDs.
        wrongJson.filter((text) => path !== "/updateCache" || !/^[A-Za-z0-9-]+$/.test(text)),
        (body) => refused(method, path, body),
      ),
      { numRuns: 60 },
    );
  });

  it("refuses any bytes that are not JSON", async () => {
    await fc.assert(
      fc.asyncProperty(wrongBytes, (body) => refused(method, path, body)),
      { numRuns: 40 },
    );
  });

  it("refuses an empty body", () => refused(method, path, ""));

  it("refuses a body over its limit", async () => {
    const before = site.plugin.requests.length;
    const limit =
      path === "/getLogs" || path === "/updateCache" ? limits.otherBytes : limits.createBytes;
    const answer = await send(site.address, method, path, `"${"x".repeat(limit)}"`);
    expect(answer.code).toBe(413);
    expect(answer.body).toBe(`the body is larger than ${limit} bytes`);
    expect(site.plugin.requests.length).toBe(before);
  });

  it("refuses a compressed body", async () => {
    const answer = await send(site.address, method, path, valid, { "content-encoding": "gzip" });
    expect(answer).toMatchObject({ code: 415, body: "compressed bodies are not accepted" });
  });

  it("survives a caller that leaves in the middle of its body", async () => {
    const before = site.plugin.requests.length;
    const { hostname, port } = new URL(site.address);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(
          `${method} ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{"pod":`,
          () => socket.destroy(),
        );
      });
      socket.on("close", () => resolve());
    });
    expect((await send(site.address, "GET", "/healthz")).code).toBe(200);
    expect(site.plugin.requests.length).toBe(before);
  });

  it("takes the body whatever the method and the content type say", async () => {
    for (const other of ["GET", "POST", "PUT", "DELETE"]) {
      const answer = await send(site.address, other, path, valid, { "content-type": "text/odd" });
      expect(answer.code).toBe(200);
    }
  });
});

describe("names that climb or hide", () => {
  it.each([
    ["/create", fixture("create-request").body],
    ["/delete", fixture("delete-request").body],
    ["/status", fixture("status-request").body],
  ])("are refused in %s", async (path, valid) => {
    for (const [field, value] of [
      ["uid", "../../etc"],
      ["uid", "a b"],
      ["name", "../x"],
      ["name", "Upper"],
      ["namespace", "a/b"],
      ["namespace", ""],
    ]) {
      const hurt = valid.replace(new RegExp(`"${field}":"[^"]*"`), `"${field}":"${value}"`);
      expect(hurt).not.toBe(valid);
      await refused("POST", path, hurt);
    }
  });

  it("are refused in /getLogs, the pod's name included", async () => {
    for (const field of ["Namespace", "PodUID", "PodName", "ContainerName"]) {
      const hurt = fixture("log-request").body.replace(
        new RegExp(`"${field}":"[^"]*"`),
        `"${field}":"../../x"`,
      );
      await refused("GET", "/getLogs", hurt);
    }
  });
});

describe("other paths", () => {
  it.each(["/", "/nothing", "/create/", "/%2e%2e", "/status/stream/x"])(
    "%s is 404",
    async (path) => {
      expect((await send(site.address, "GET", path)).code).toBe(404);
    },
  );
});
