import { createInterlinkClient, type PodCreateRequest } from "@interlink/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fixture, send } from "./testing/go-caller.ts";
import { startSite, type TestSite } from "./testing/site.ts";

// Bytes as a Go virtual node sends them, through the server, to a plugin of the base protocol, and back.

let site: TestSite;
beforeEach(async () => {
  site = await startSite();
});
afterEach(() => site[Symbol.asyncDispose]());

const uid = "4f6c1a1e-0d5a-4d0e-9c0b-2b7c1de0a001";

describe("POST /create", () => {
  it("reaches the plugin as a Go API server would write it, and the answer comes back as 200", async () => {
    site.plugin.says("/create", fixture("create-answer-number").body, 201);
    const answer = await send(site.address, "POST", "/create", fixture("create-request").body, {
      "InterLink-Http-Session": "CreatePod#4711",
      Authorization: "Bearer secret",
    });
    expect(answer).toMatchObject({ code: 200, body: fixture("create-answer").body });
    const [request] = site.plugin.requests;
    expect(request).toMatchObject({
      method: "POST",
      path: "/create",
      body: fixture("plugin-create-volumes").body,
    });
    expect(request?.headers["interlink-http-session"]).toBe("CreatePod#4711");
    expect(request?.headers["content-type"]).toBe("application/json");
    expect(request?.headers.authorization).toBeUndefined();
  });

  it("accepts nil lists and a pod whose containers all stay local", async () => {
    site.plugin.says("/create", "{}");
    const answer = await send(
      site.address,
      "PUT",
      "/create",
      fixture("create-request-nil-slices").body,
    );
    expect(answer).toMatchObject({ code: 200, body: `{"PodUID":"${uid}","PodJID":""}` });
  });

  it("makes a request id when there is none, and tells it", async () => {
    site.plugin.says("/create", "{}");
    const { headers } = await send(site.address, "POST", "/create", fixture("create-request").body);
    expect(headers["interlink-http-session"]).toMatch(/^Request-[0-9a-f-]{36}$/);
    expect(site.plugin.requests[0]?.headers["interlink-http-session"]).toBe(
      headers["interlink-http-session"],
    );
  });

  it("says which mounted object is missing, and asks the plugin nothing", async () => {
    const request = fixture("create-request").reads as PodCreateRequest;
    const answer = await send(
      site.address,
      "POST",
      "/create",
      JSON.stringify({ ...request, secrets: null }),
    );
    expect(answer).toMatchObject({
      code: 400,
      body: "container main mounts volume key, but its Secret token is not in the request",
    });
    expect(site.plugin.requests).toHaveLength(0);
  });

  it("refuses to build a job script in a sentence, not in silence", async () => {
    const request = fixture("create-request").reads as PodCreateRequest;
    const answer = await send(
      site.address,
      "POST",
      "/create",
      JSON.stringify({ ...request, jobscriptURL: "http://builder" }),
    );
    expect(answer.code).toBe(501);
    expect(answer.body).toContain("jobscriptURL");
    expect(site.plugin.requests).toHaveLength(0);
  });
});

describe("DELETE /delete", () => {
  it("reaches the plugin as POST with the same bytes", async () => {
    site.plugin.says("/delete", "gone", 204);
    const answer = await send(site.address, "DELETE", "/delete", fixture("delete-request").body);
    expect(answer.code).toBe(200);
    expect(site.plugin.requests[0]).toMatchObject({
      method: "POST",
      path: "/delete",
      body: fixture("delete-request").body,
    });
  });
});

describe("GET /status", () => {
  it("asks the plugin with a body and answers as Go API servers encode it", async () => {
    site.plugin.says("/status", fixture("status-answer-running").body);
    const answer = await send(site.address, "GET", "/status", fixture("status-request").body);
    expect(answer).toMatchObject({ code: 200, body: fixture("status-answer-running").body });
    expect(answer.headers["content-type"]).toContain("application/json");
    expect(site.plugin.asked("/status")).toEqual([
      expect.objectContaining({ method: "GET", body: fixture("status-request").body }),
    ]);
  });

  it("answers [] when the plugin does not know the pod, although it did before", async () => {
    site.plugin.says("/status", fixture("status-answer-running").body);
    await send(site.address, "GET", "/status", fixture("status-request").body);
    site.plugin.says("/status", "null");
    const answer = await send(site.address, "GET", "/status", fixture("status-request").body);
    expect(answer).toMatchObject({ code: 200, body: "[]" });
  });

  it("answers with the plugin's error, never with what it said before", async () => {
    site.plugin.says("/status", fixture("status-answer-running").body);
    await send(site.address, "GET", "/status", fixture("status-request").body);
    site.plugin.says("/status", '{"error":"slurm_load_jobs: <timeout> & more"}', 500);
    const failed = await send(site.address, "GET", "/status", fixture("status-request").body);
    expect(failed).toMatchObject({ code: 500, body: "slurm_load_jobs: <timeout> & more" });
    site.plugin.says("/status", "<html>not json");
    const nonsense = await send(site.address, "GET", "/status", fixture("status-request").body);
    expect(nonsense.code).toBe(502);
    expect(nonsense.body).toContain("not valid JSON");
    await site.plugin[Symbol.asyncDispose]();
    const away = await send(site.address, "GET", "/status", fixture("status-request").body);
    expect(away.code).toBe(502);
    expect(away.body).toMatch(/ECONNREFUSED|ECONNRESET|other side closed/);
  });

  it("answers an empty question with an empty list and asks nobody", async () => {
    const answer = await send(site.address, "GET", "/status", "[]");
    expect(answer).toMatchObject({ code: 200, body: "[]" });
    expect(site.plugin.requests).toHaveLength(0);
  });

  it("does not let out the status of a pod that was not asked for", async () => {
    const status = { name: "x", namespace: "d", containers: null };
    site.plugin.says(
      "/status",
      JSON.stringify([
        { ...status, UID: "other" },
        { ...status, UID: uid },
      ]),
    );
    const answer = await send(site.address, "GET", "/status", fixture("status-request").body);
    expect((JSON.parse(answer.body) as { UID: string }[]).map(({ UID }) => UID)).toEqual([uid]);
  });
});

describe("POST /pinglink", () => {
  it.each([fixture("ping-answer").body, "[]", "null", "pong", ""])(
    "hands on %j as it is",
    async (body) => {
      site.plugin.says("/status", body);
      const answer = await send(site.address, "POST", "/pinglink");
      expect(answer).toMatchObject({ code: 200, body });
      expect(site.plugin.requests).toEqual([
        expect.objectContaining({ method: "GET", path: "/status", body: "[]" }),
      ]);
    },
  );

  it("keeps the caller's request id and the plugin's words", async () => {
    site.plugin.says("/status", '{"detail":"no proxy file"}', 503);
    const answer = await send(site.address, "POST", "/pinglink", "", {
      "InterLink-Http-Session": "PingInterLink#7",
    });
    expect(answer).toMatchObject({ code: 503, body: "no proxy file" });
    expect(site.plugin.requests[0]?.headers["interlink-http-session"]).toBe("PingInterLink#7");
  });
});

describe("POST /updateCache", () => {
  it.each([uid, `"${uid}"`, fixture("delete-request").body])("accepts %.60s", async (body) => {
    const answer = await send(site.address, "POST", "/updateCache", body);
    expect(answer).toMatchObject({ code: 200, body: "Updated cache" });
    expect(site.plugin.requests).toHaveLength(0);
  });
});

describe("GET /getLogs", () => {
  it("hands on the request and the bytes", async () => {
    const bytes = "one\n\u0000\u001b[31mtwo\n";
    site.plugin.says("/getLogs", bytes);
    const answer = await send(site.address, "GET", "/getLogs", fixture("log-request").body);
    expect(answer).toMatchObject({ code: 200, body: bytes });
    expect(site.plugin.requests[0]?.body).toBe(fixture("log-request").body);
  });

  it("refuses Tail and Bytes together for a base plugin, and drops TailIsSet", async () => {
    site.plugin.says("/getLogs", "x");
    const both = fixture("log-request").body.replace('"Tail":0,"Bytes":0', '"Tail":5,"Bytes":9');
    const refused = await send(site.address, "GET", "/getLogs", both);
    expect(refused.code).toBe(400);
    expect(refused.body).toContain("Tail");
    expect(site.plugin.asked("/getLogs")).toHaveLength(0);
    await send(site.address, "GET", "/getLogs", fixture("log-request-tail-zero").body);
    expect(site.plugin.asked("/getLogs")[0]?.body).toBe(fixture("log-request").body);
  });

  it("asks for one stream of a log only a plugin that keeps them apart", async () => {
    const one = fixture("log-request").body.replace(/"SinceTime":"[^"]*"/, '$&,"Stream":"Stderr"');
    const refused = await send(site.address, "GET", "/getLogs", one);
    expect(refused).toMatchObject({
      code: 400,
      body: expect.stringContaining("one log") as string,
    });
    expect(site.plugin.asked("/getLogs")).toHaveLength(0);
  });

  it("hands the wish for one stream of a log on to a plugin that offers that", async () => {
    const offered = fixture("capabilities").body.replace('"log-options"', '"log-streams"');
    site.plugin.says("/capabilities", offered).says("/getLogs", "x");
    const one = fixture("log-request").body.replace(/"SinceTime":"[^"]*"/, '$&,"Stream":"Stderr"');
    expect((await send(site.address, "GET", "/getLogs", one)).code).toBe(200);
    expect(site.plugin.asked("/getLogs").map(({ body }) => body)).toEqual([one]);
  });

  it("allows both for a plugin that offers log-options", async () => {
    site.plugin.says("/capabilities", fixture("capabilities").body).says("/getLogs", "x");
    const both = fixture("log-request").body.replace('"Tail":0,"Bytes":0', '"Tail":5,"Bytes":9');
    expect((await send(site.address, "GET", "/getLogs", both)).code).toBe(200);
    const tail = fixture("log-request-tail-zero").body;
    await send(site.address, "GET", "/getLogs", tail);
    expect(site.plugin.asked("/getLogs").map(({ body }) => body)).toEqual([both, tail]);
  });
});

describe("our own virtual node's client", () => {
  it("gets through to a base plugin and sees that it is one", async () => {
    site.plugin
      .says("/create", fixture("create-answer").body)
      .says("/status", fixture("status-answer-case").body)
      .says("/delete", "");
    const client = createInterlinkClient({ address: site.address, peer: "server" });
    try {
      const request = fixture("create-request").reads as PodCreateRequest;
      expect(await client.create(request)).toEqual(fixture("create-answer").reads);
      expect((await client.status([request.pod]))[0]).toEqual(
        (fixture("status-answer-case").reads as unknown[])[0],
      );
      expect((await client.ping()).raw).toBe(fixture("status-answer-case").body);
      await client.delete(request.pod);
      await client.updateCache(uid);
      expect((await client.capabilities())?.features).toEqual([]);
      await expect(client.statusStream().next()).rejects.toMatchObject({ httpStatus: 404 });
    } finally {
      await client.close();
    }
  });
});
