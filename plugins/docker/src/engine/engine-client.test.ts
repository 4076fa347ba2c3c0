import { once } from "node:events";
import { symlink } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { FakeEngine, json } from "../testing/fake-engine.ts";
import { compareVersions, EngineClient } from "./engine-client.ts";

const signal = new AbortController().signal;

describe("EngineClient", () => {
  it.each([
    [{ ApiVersion: "1.41", MinAPIVersion: "1.12" }, "/v1.41/x"],
    [{ ApiVersion: "1.52", MinAPIVersion: "1.24" }, "/v1.44/x"],
    [{ ApiVersion: "1.60", MinAPIVersion: "1.50" }, "/v1.50/x"],
    [{ ApiVersion: "1.41" }, "/v1.41/x"],
  ])("speaks a version that %j understands", async (version, path) => {
    const paths: string[] = [];
    await using engine = await FakeEngine.open((request, response) => {
      paths.push(request.url ?? "");
      json(response, 200, {});
    }, version);
    await engine.client.json({ method: "GET", path: "/x", signal });
    await engine.client.json({ method: "GET", path: "/x", signal });
    expect(paths).toEqual([path, path]);
    expect(engine.asked.filter((one) => one === "GET /version")).toHaveLength(1);
  });

  it("sends parameters: numbers, repeated ones, objects as JSON, and no undefined ones", async () => {
    let query = "";
    await using engine = await FakeEngine.open((_, response, url) => {
      query = url.search;
      json(response, 200, {});
    });
    await engine.client.json({
      method: "GET",
      path: "/x",
      query: { a: 1, b: true, c: ["x y", "z&"], d: { label: ["l=v"] }, e: undefined },
      signal,
    });
    expect([...new URLSearchParams(query)]).toEqual([
      ["a", "1"],
      ["b", "true"],
      ["c", "x y"],
      ["c", "z&"],
      ["d", '{"label":["l=v"]}'],
    ]);
  });

  it.each([
    [404, '{"message":"No such container: x"}', "not-found", "No such container: x"],
    [409, '{"message":"in use"}', "conflict", "in use"],
    [401, '{"message":"who are you"}', "unauthorized", "who are you"],
    [400, "plain text\n", "bad-request", "plain text"],
    [500, '{"cause":"c","message":"broken","response":500}', "engine", "broken"],
    [502, "", "engine", "the engine answered with HTTP status 502"],
  ])("tells the engine's %s in its own words", async (status, body, code, message) => {
    await using engine = await FakeEngine.open((_, response) => {
      response.writeHead(status);
      response.end(body);
    });
    const request = { method: "GET", path: "/x", signal } as const;
    const expected = { name: "EngineError", code, message, status };
    await expect(engine.client.json(request)).rejects.toMatchObject(expected);
    await expect(engine.client.stream(request)).rejects.toMatchObject(expected);
  });

  it("takes an empty answer, and one that nothing had to change", async () => {
    await using engine = await FakeEngine.open((request, response) => {
      response.writeHead(request.method === "POST" ? 304 : 204);
      response.end();
    });
    expect(await engine.client.json({ method: "POST", path: "/x", signal })).toBeUndefined();
    expect(await engine.client.json({ method: "DELETE", path: "/x", signal })).toBeUndefined();
  });

  it("is unreachable where nothing listens, and says where", async () => {
    await using client = new EngineClient({ kind: "unix", path: "/no/such/engine.sock" });
    await expect(client.json({ method: "GET", path: "/info", signal })).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringContaining("unix:///no/such/engine.sock") as string,
    });
  });

  it("asks for the version again after it could not be had", async () => {
    await using engine = await FakeEngine.open((_, response) => json(response, 200, { ok: true }));
    const place = `${engine.socket}.later`;
    await using client = new EngineClient({ kind: "unix", path: place });
    const request = { method: "GET", path: "/x", signal } as const;
    await expect(client.json(request)).rejects.toMatchObject({ code: "unreachable" });
    await symlink(engine.socket, place);
    expect(await client.json(request)).toEqual({ ok: true });
  });

  it("is unreachable when the answer does not come in time", async () => {
    await using engine = await FakeEngine.open(() => undefined);
    const request = { method: "GET", path: "/slow", signal, deadlineMs: 20 } as const;
    const expected = { code: "unreachable", message: expect.stringContaining("0.02 s") as string };
    await expect(engine.client.json(request)).rejects.toMatchObject(expected);
    await expect(engine.client.stream(request)).rejects.toMatchObject(expected);
  });

  it("gives the caller's own reason when the caller leaves", async () => {
    await using engine = await FakeEngine.open(() => leaving.abort(new Error("I leave")));
    const leaving = new AbortController();
    const request = { method: "GET", path: "/slow", signal: leaving.signal } as const;
    await expect(engine.client.json(request)).rejects.toThrow("I leave");
  });

  it("ends a stream, and the connection, when the caller leaves", async () => {
    let closed: Promise<unknown> | undefined;
    await using engine = await FakeEngine.open((request, response) => {
      closed = once(request.socket, "close");
      response.writeHead(200);
      response.write("one");
    });
    const leaving = new AbortController();
    const stream = await engine.client.stream({
      method: "GET",
      path: "/logs",
      signal: leaving.signal,
      // The deadline is for the beginning of the answer only.
      deadlineMs: 5_000,
    });
    const read = (async () => {
      for await (const chunk of stream) {
        expect(String(chunk)).toBe("one");
        leaving.abort(new Error("I leave"));
      }
    })();
    await expect(read).rejects.toThrow("I leave");
    await closed;
  });
});

it("may be given a stream back unread", async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): number => unhandled.push(error);
  process.on("uncaughtException", note);
  await using engine = await FakeEngine.open((_, response) => {
    response.writeHead(200);
    response.write("one");
  });
  const leaving = new AbortController();
  const open = () => engine.client.stream({ method: "GET", path: "/logs", signal: leaving.signal });
  const [given, cut] = [await open(), await open()];
  // Not `once`, which would take note of the errors.
  const closed = [given, cut].map(
    (stream) => new Promise((resolve) => stream.on("close", resolve)),
  );
  given.destroy();
  leaving.abort(new Error("I leave"));
  await Promise.all(closed);
  process.off("uncaughtException", note);
  expect(unhandled).toEqual([]);
});

it.each([
  ["1.9", "1.41", -1],
  ["1.41", "1.9", 1],
  ["1.41", "1.41", 0],
  ["2.0", "1.99", 1],
])("compares versions by numbers: %s and %s", (a, b, sign) => {
  expect(Math.sign(compareVersions(a, b))).toBe(sign);
});

describe("a connection that is to be handed over", () => {
  const request = { method: "POST", path: "/exec/x/start", body: { Tty: true }, signal } as const;

  it.each([
    [409, { message: "not running" }, { code: "conflict", message: "not running" }],
    [200, {}, { code: "engine", message: expect.stringContaining("proxy") as string }],
  ])("is refused with the status %i in the engine's words", async (status, body, error) => {
    await using engine = await FakeEngine.open((_, response) => json(response, status, body));
    await expect(engine.client.connection(request)).rejects.toMatchObject(error);
  });

  it("is given up when the caller goes, or the engine does not answer in time", async () => {
    await using engine = await FakeEngine.open(() => undefined);
    const leaving = new AbortController();
    const opening = engine.client.connection({ ...request, signal: leaving.signal });
    await expect.poll(() => engine.asked).toContain("POST /exec/x/start");
    leaving.abort(new Error("the caller has gone"));
    await expect(opening).rejects.toThrow("the caller has gone");
    const late = engine.client.connection({ ...request, deadlineMs: 20 });
    await expect(late).rejects.toMatchObject({ code: "unreachable" });
  });
});
