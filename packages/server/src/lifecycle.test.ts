import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { type PodCreateRequest, ProtocolError } from "@interlink/protocol";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startServer } from "./server.ts";
import { fixture, open, send } from "./testing/go-caller.ts";
import { startSite, type TestSite } from "./testing/site.ts";

const logger = pino({ level: "silent" });
const createBody = fixture("create-request").body;
const statusBody = fixture("status-request").body;
let folder: string;
const sites: AsyncDisposable[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "interlink-server-"));
});
afterEach(async () => {
  for (const site of sites.splice(0)) await site[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function site(...args: Parameters<typeof startSite>): Promise<TestSite> {
  const started = await startSite(...args);
  sites.push(started);
  return started;
}

describe("health", () => {
  it("is about the process in /healthz and about the plugin in /readyz, which says why not", async () => {
    const { address, plugin } = await site();
    plugin.says("/status", "[]");
    expect(await send(address, "GET", "/readyz")).toMatchObject({ code: 200, body: "ok" });
    plugin.says("/status", "the scheduler is down", 500);
    expect(await send(address, "GET", "/readyz")).toMatchObject({
      code: 503,
      body: "the plugin does not answer (HTTP 500): the scheduler is down",
    });
    await plugin[Symbol.asyncDispose]();
    expect((await send(address, "GET", "/readyz")).code).toBe(503);
    expect(await send(address, "GET", "/healthz")).toMatchObject({ code: 200, body: "ok" });
  });

  it("works again as soon as the plugin is back", async () => {
    const { address, plugin } = await site();
    const { port } = new URL(plugin.address);
    await plugin[Symbol.asyncDispose]();
    expect((await send(address, "GET", "/status", statusBody)).code).toBe(502);
    await plugin.says("/status", "[]").start(Number(port));
    expect((await send(address, "GET", "/status", statusBody)).code).toBe(200);
  });
});

describe("a unix socket", () => {
  const socket = () => join(folder, "api.sock");

  it("serves, for owner and group only", async () => {
    const { address } = await site({ listen: { unixSocket: socket() } });
    expect(address).toBe(`unix://${socket()}`);
    expect((await send(address, "GET", "/healthz")).code).toBe(200);
    expect((await stat(socket())).mode & 0o777).toBe(0o660);
  });

  it("is taken over from a process that died", async () => {
    const listen = `require("node:net").createServer().listen(process.argv[1], () => console.log("up"))`;
    const dead = spawn(process.execPath, ["-e", listen, socket()], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(dead.stdout, "data");
    dead.kill("SIGKILL");
    await once(dead, "exit");
    expect((await stat(socket())).isSocket()).toBe(true);
    const { address } = await site({ listen: { unixSocket: socket() } });
    expect((await send(address, "GET", "/healthz")).code).toBe(200);
  });

  it("is not taken from a process that lives but is too busy to answer", async () => {
    const listen = `require("node:net").createServer().listen({ path: process.argv[1], backlog: 1 }, () => console.log("up"))`;
    const busy = spawn(process.execPath, ["-e", listen, socket()], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(busy.stdout, "data");
    busy.kill("SIGSTOP");
    const waiting: Socket[] = [];
    try {
      for (let isFull = false; !isFull; ) {
        const one = connect(socket());
        waiting.push(one);
        isFull = await once(one, "connect").then(
          () => false,
          () => true,
        );
      }
      const plugin = { address: "http://127.0.0.1:1" };
      await expect(
        startServer({ listen: { unixSocket: socket() }, plugin, logger }),
      ).rejects.toThrow("another process already listens");
    } finally {
      for (const one of waiting) one.destroy();
      busy.kill("SIGKILL");
      await once(busy, "exit");
    }
  });

  it("is not taken from a process that lives, nor made of a plain file", async () => {
    await site({ listen: { unixSocket: socket() } });
    const plugin = { address: "http://127.0.0.1:1" };
    await expect(startServer({ listen: { unixSocket: socket() }, plugin, logger })).rejects.toThrow(
      "another process already listens",
    );
    await writeFile(join(folder, "file"), "precious");
    await expect(
      startServer({ listen: { unixSocket: join(folder, "file") }, plugin, logger }),
    ).rejects.toThrow("is not a socket");
  });
});

describe("an idle connection", () => {
  it("is kept for longer than any caller keeps it, or closing it would race with the caller's next create", async () => {
    const { address } = await site();
    const { headers } = await send(address, "GET", "/healthz", "", { connection: "keep-alive" });
    expect(headers["keep-alive"]).toBe("timeout=150");
  });
});

describe("a path that is not there", () => {
  it("is counted under one name", async () => {
    const { address } = await site();
    await send(address, "GET", "/nothing/here");
    const { body } = await send(address, "GET", "/metrics");
    expect(body).toContain('interlink_server_requests_total{operation="unknown",code="404"} 1');
  });
});

describe("closing", () => {
  it("lets a create in work finish and refuses new connections", async () => {
    const { address, plugin, server } = await site();
    const arrived = new Promise<ServerResponse>((resolve) =>
      plugin.on("/create", (_, response) => resolve(response)),
    );
    const answer = send(address, "POST", "/create", createBody);
    const response = await arrived;
    const closed = server.close();
    response.end(fixture("create-answer").body);
    expect((await answer).code).toBe(200);
    await closed;
    await expect(send(address, "GET", "/healthz")).rejects.toThrow("ECONNREFUSED");
    await server.close();
  });

  it("ends streams at once", async () => {
    const { address, plugin, server } = await site();
    plugin.on("/getLogs", (_, response) => response.write("x"));
    const caller = await open(address, "GET", "/getLogs", fixture("log-request").body);
    await once(caller, "data");
    const cut = expect(once(caller, "end")).rejects.toThrow("aborted");
    await server.close();
    await cut;
  });

  it("cuts what does not finish in time", async () => {
    const { address, plugin, server } = await site({ limits: { closeMs: 50 } });
    plugin.on("/create", () => {});
    const answer = send(address, "POST", "/create", createBody).catch((error: Error) => error);
    await plugin.askedTimes("/create", 1);
    await server.close();
    const result = await answer;
    expect(result instanceof Error || result.code >= 500).toBe(true);
  });
});

describe("a caller that leaves", () => {
  it("ends its create and its status at the plugin, but not its delete", async () => {
    const { address, plugin } = await site();
    for (const path of ["/create", "/status"]) {
      const atPlugin = new Promise<ServerResponse>((resolve) =>
        plugin.on(path, (_, response) => resolve(response)),
      );
      const controller = new AbortController();
      const body = path === "/create" ? createBody : statusBody;
      open(address, "POST", path, body, {}, controller.signal).catch(() => {});
      const response = await atPlugin;
      const closed = once(response, "close");
      controller.abort();
      await closed;
      expect(response.writableFinished).toBe(false);
    }
    const atPlugin = new Promise<ServerResponse>((resolve) =>
      plugin.on("/delete", (_, response) => resolve(response)),
    );
    const controller = new AbortController();
    const call = open(
      address,
      "DELETE",
      "/delete",
      fixture("delete-request").body,
      {},
      controller.signal,
    );
    const response = await atPlugin;
    controller.abort();
    await expect(call).rejects.toThrow();
    // The server has seen the caller leave when it answers somebody who came later.
    expect((await send(address, "GET", "/healthz")).code).toBe(200);
    expect(response.destroyed).toBe(false);
    response.end("gone");
    await once(response, "close");
    expect(response.writableFinished).toBe(true);
  });
});

describe("status questions", () => {
  it("that come while one is under way share the next", async () => {
    const { address, plugin } = await site();
    const held: ServerResponse[] = [];
    plugin.on("/status", (_, response) => held.push(response));
    const first = send(address, "GET", "/status", statusBody);
    await plugin.askedTimes("/status", 1);
    const others = Array.from({ length: 20 }, () => send(address, "GET", "/status", statusBody));
    const metric = async () => (await send(address, "GET", "/metrics")).body;
    expect(await metric()).toContain("interlink_server_status_batch_pods_count 1");
    plugin.says("/status", fixture("status-answer-running").body);
    held[0]?.end("[]");
    expect((await first).body).toBe("[]");
    for (const answer of await Promise.all(others)) expect(answer.code).toBe(200);
    // How many of the twenty had arrived in time is the network's business; one question each it never was.
    expect(plugin.asked("/status").length).toBeLessThan(20);
  });
});

describe("the places for later", () => {
  it("asks `authenticate` before the body is read, and lets health through", async () => {
    const { address, plugin } = await site({
      authenticate: ({ headers }) => {
        if (headers.authorization === "Bearer good") return;
        throw new ProtocolError("refused", "a bearer token is needed", { httpStatus: 401 });
      },
    });
    plugin.says("/create", "{}");
    const refused = await send(address, "POST", "/create", "{nonsense");
    expect(refused).toMatchObject({ code: 401, body: "a bearer token is needed" });
    const good = { authorization: "Bearer good" };
    expect((await send(address, "POST", "/create", createBody, good)).code).toBe(200);
    expect((await send(address, "GET", "/healthz")).code).toBe(200);
  });

  it("hands a job script on to the plugin when there is a builder", async () => {
    const jobConfig = JSON.parse(
      JSON.stringify((fixture("plugin-create").reads as { jobConfig: object }).jobConfig),
    );
    const { address, plugin } = await site({
      jobScriptBuilder: {
        build: async (_, url) => ({ jobConfig, jobScript: `#!/bin/sh\n# ${url}\n` }),
      },
    });
    plugin.says("/create", "{}");
    const request = fixture("create-request").reads as PodCreateRequest;
    await send(address, "POST", "/create", JSON.stringify({ ...request, jobscriptURL: "u" }));
    expect(JSON.parse(plugin.requests[0]?.body ?? "")).toHaveProperty(
      "jobScript",
      "#!/bin/sh\n# u\n",
    );
  });

  it("names the steps of create and delete for crash tests", async () => {
    const steps: string[] = [];
    const { address, plugin } = await site({ checkpoint: (name) => steps.push(name) });
    plugin.says("/create", "{}").says("/delete", "");
    await send(address, "POST", "/create", createBody);
    await send(address, "DELETE", "/delete", fixture("delete-request").body);
    expect(steps).toEqual([
      "server.create.received",
      "server.create.before-plugin",
      "server.create.after-plugin",
      "server.delete.before-plugin",
      "server.delete.after-plugin",
    ]);
  });
});

describe("the log", () => {
  it("names the pod and never a secret, even at its most talkative", async () => {
    let text = "";
    const sink = new Writable({
      write(chunk: Buffer, _, done) {
        text += chunk.toString();
        done();
      },
    });
    const { address, plugin } = await site({ logger: pino({ level: "trace" }, sink) });
    plugin.says("/create", fixture("create-answer").body);
    const authorization = { authorization: "Bearer hush" };
    await send(address, "POST", "/create", createBody, authorization);
    await send(address, "POST", "/create", createBody.replace('"pod":', '"pot":'), authorization);
    await send(address, "POST", "/create", `${createBody}}`, authorization);
    expect(text).toContain("default/hello");
    expect(text).not.toContain("czNjcjN0");
    expect(text).not.toContain("hush");
  });
});

describe("a defect of ours", () => {
  it("is a 500 with the request id and without its insides", async () => {
    const { address } = await site({
      checkpoint: () => {
        throw new TypeError("insides");
      },
    });
    const answer = await send(address, "POST", "/create", createBody, {
      "InterLink-Http-Session": "CreatePod#1",
    });
    expect(answer.code).toBe(500);
    expect(answer.body).toContain("CreatePod#1");
    expect(answer.body).not.toContain("insides");
  });
});
