import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { PassThrough, type Readable } from "node:stream";
import {
  createInterlinkClient,
  type ExecRequest,
  type InterlinkClient,
  type MessageSocket,
  type ProcessEnd,
  ProtocolError,
  servePort,
  serveProcess,
  type TerminalSize,
} from "@interlink/protocol";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ServerOptions } from "./options.ts";
import { send } from "./testing/go-caller.ts";
import { startSite, type TestSite } from "./testing/site.ts";

const pod = { Namespace: "default", PodName: "web-0", PodUID: "u-1" };
const exec: ExecRequest = {
  ...pod,
  ContainerName: "main",
  Command: ["cat", "-"],
  Stdin: true,
  Stdout: true,
  Stderr: false,
  TTY: true,
};

let site: TestSite;
let client: InterlinkClient;

async function open(options: Partial<ServerOptions> = {}): Promise<void> {
  await client?.close();
  await site?.[Symbol.asyncDispose]();
  site = await startSite(options);
  offering(["exec", "attach", "port-forward", "stats"]);
  client = createInterlinkClient({ address: site.address, peer: "server", token: () => "secret" });
}

function offering(features: string[]): void {
  const answer = { protocol: "interlink", version: "1.0", agent: "plugin-fake", features };
  site.plugin.says("/capabilities", JSON.stringify(answer));
}

beforeEach(() => open());
afterEach(async () => {
  await client.close();
  await site[Symbol.asyncDispose]();
});

/** A process at the plugin that gives back what it gets, and ends with 3 when its input does. */
function echo(): { serve: (socket: MessageSocket) => Promise<void>; sizes: TerminalSize[] } {
  const sizes: TerminalSize[] = [];
  return {
    sizes,
    serve: (socket) => {
      const stdin = new PassThrough();
      const ended = new Promise<ProcessEnd>((resolve) => {
        stdin.once("end", () => resolve({ exitCode: 3 }));
        stdin.once("close", () => resolve({ error: "closed" }));
      });
      return serveProcess(socket, {
        stdin,
        stdout: stdin,
        resize: (size) => sizes.push(size),
        ended,
        close: () => stdin.destroy(),
      });
    },
  };
}

async function bytesOf(stream: Readable | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => stream?.once("end", resolve));
  return Buffer.concat(chunks);
}

describe("exec and attach through the server", () => {
  it("reach the plugin as they were asked, without the token, and carry every byte", async () => {
    for (const path of ["/exec", "/attach"]) {
      const process = echo();
      site.plugin.streams.set(path, process.serve);
      const streams =
        path === "/exec"
          ? await client.exec(exec, { requestId: "id-7" })
          : await client.attach(exec, { requestId: "id-7" });
      const sent = randomBytes(2 * 1024 * 1024);
      streams.resize({ width: 80, height: 24 });
      streams.stdin?.end(sent);
      expect((await bytesOf(streams.stdout)).equals(sent)).toBe(true);
      expect(await streams.ended).toEqual({ exitCode: 3 });
      expect(process.sizes).toEqual([{ width: 80, height: 24 }]);
      const { headers, path: asked } = site.plugin.requests.at(-1)!;
      expect(asked).toContain(`${path}?namespace=default&pod=web-0&uid=u-1&container=main`);
      expect(headers["interlink-http-session"]).toBe("id-7");
      expect(headers.authorization).toBeUndefined();
    }
    const { body } = await send(site.address, "GET", "/metrics");
    expect(body).toContain('interlink_server_streams{kind="exec"}');
  });

  it("are refused in the plugin's own words", async () => {
    site.plugin.says("/exec", 'container not found ("main")', 404);
    await expect(client.exec(exec)).rejects.toMatchObject({
      code: "refused",
      httpStatus: 404,
      message: 'container not found ("main")',
    });
  });

  it("are refused when the plugin does not offer them", async () => {
    offering(["attach"]);
    await expect(client.exec(exec)).rejects.toMatchObject({
      httpStatus: 404,
      message: "the plugin offers no exec",
    });
    expect(site.plugin.asked("/exec")).toEqual([]);
    expect((await client.capabilities())?.features).toEqual(["attach"]);
  });

  it("are asked for who calls like anything else", async () => {
    await open({
      authenticate: ({ headers, path }) => {
        if (headers.authorization === "Bearer secret") return;
        throw new ProtocolError("refused", `nobody may ${path}`, { httpStatus: 401 });
      },
    });
    site.plugin.streams.set("/exec", echo().serve);
    const streams = await client.exec(exec);
    streams.close();
    await using stranger = createInterlinkClient({ address: site.address, peer: "server" });
    await expect(stranger.exec(exec)).rejects.toMatchObject({
      httpStatus: 401,
      message: "nobody may /exec",
    });
  });

  it("end with an error when the plugin dies, and at the plugin when the caller leaves", async () => {
    let atPlugin: MessageSocket | undefined;
    site.plugin.streams.set("/exec", async (socket) => {
      atPlugin = socket;
      socket.listen(() => undefined);
    });
    const first = await client.exec(exec);
    first.stdout?.resume();
    atPlugin?.destroy();
    expect(await first.ended).toEqual({
      error: expect.stringContaining("the connection behind it broke"),
    });
    const second = await client.openStream({ type: "exec", request: exec });
    second.destroy();
    expect(await atPlugin?.closed).toMatchObject({ code: 1001, reason: "the caller has left" });
  });

  it("are refused over the limit of streams, and end when the server closes", async () => {
    await open({ limits: { streams: 1 } });
    site.plugin.streams.set("/exec", echo().serve);
    const streams = await client.exec(exec);
    streams.stdout?.resume();
    await expect(client.exec(exec)).rejects.toMatchObject({ httpStatus: 503 });
    await site.server.close();
    expect(await streams.ended).toEqual({ error: expect.stringContaining("shutting down") });
  });
});

describe("port-forward through the server", () => {
  it("carries bytes both ways, each with its own end", async () => {
    site.plugin.streams.set("/port-forward", (socket) => servePort(socket, new PassThrough()));
    const connection = await client.portForward({ ...pod, Port: 8080 });
    const sent = randomBytes(1024 * 1024);
    connection.end(sent);
    expect((await bytesOf(connection)).equals(sent)).toBe(true);
    expect(site.plugin.requests.at(-1)?.path).toContain("port=8080");
  });
});

describe("stats through the server", () => {
  it("are the plugin's, and what is none is refused", async () => {
    const time = "2026-01-01T00:00:00Z";
    const answer = {
      pods: [
        {
          podRef: { name: "web-0", namespace: "default", uid: "u-1" },
          startTime: time,
          containers: [{ name: "main", startTime: time, memory: { time, usageBytes: 4096 } }],
        },
      ],
    };
    site.plugin.says("/stats", JSON.stringify(answer));
    expect(await client.stats()).toEqual(answer);
    site.plugin.says("/stats", '{"pods":[{"podRef":{}}]}');
    await expect(client.stats()).rejects.toMatchObject({ httpStatus: 502 });
    await open();
    offering([]);
    await expect(client.stats()).rejects.toMatchObject({ httpStatus: 404 });
  });
});

describe("hostile callers", () => {
  const QUERY = "namespace=default&pod=web-0&uid=u-1&container=main&command=ls&stdout=1";
  const upgrade = (path: string, more = ""): string =>
    [
      `GET ${path} HTTP/1.1`,
      "Host: server",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Protocol: v5.channel.k8s.io",
      `${more}\r\n\r\n`,
    ].join("\r\n");

  function raw(bytes: string | Uint8Array): Promise<string> {
    return new Promise((resolve) => {
      const { port } = new URL(site.address);
      const socket = connect(Number(port), "127.0.0.1");
      const chunks: Buffer[] = [];
      socket.on("data", (chunk) => chunks.push(chunk));
      socket.on("error", () => undefined);
      socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
      socket.write(bytes);
    });
  }

  afterEach(async () => {
    expect((await send(site.address, "GET", "/healthz")).code).toBe(200);
  });

  it.each([
    ["a page in a browser", upgrade(`/exec?${QUERY}`, "Origin: http://evil"), 403],
    ["no parameters", upgrade("/exec", "X: y"), 400],
    ["a path in a name", upgrade(`/exec?${QUERY}`.replace("main", "..%2Fmain"), "X: y"), 400],
    ["a port that is none", upgrade("/port-forward?namespace=d&pod=p&uid=u&port=0", "X: y"), 400],
    ["a plain request", `GET /exec?${QUERY} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, 426],
  ])("%s is refused with words, and the plugin asked nothing", async (_, request, status) => {
    const answer = await raw(request);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer.split("\r\n\r\n")[1]).not.toBe("");
    expect(site.plugin.requests).toEqual([]);
  });

  it("any bytes after the upgrade end that stream only, at the plugin too", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 64 }), async (bytes) => {
        let closed: (end: unknown) => void = () => undefined;
        const atPlugin = new Promise((resolve) => {
          closed = resolve;
        });
        site.plugin.streams.set("/exec", async (socket) => {
          socket.listen(() => undefined);
          closed(await socket.closed);
        });
        const { port } = new URL(site.address);
        const request = Buffer.concat([Buffer.from(upgrade(`/exec?${QUERY}`, "X: y")), bytes]);
        const socket = connect(Number(port), "127.0.0.1", () => socket.end(request));
        socket.on("error", () => undefined);
        socket.resume();
        await atPlugin;
        socket.destroy();
      }),
      { numRuns: 30 },
    );
  });
});
