import { connect } from "node:net";
import { PassThrough } from "node:stream";
import {
  type AttachRequest,
  createInterlinkClient,
  type ExecRequest,
  type InterlinkClient,
  type StatsAnswer,
} from "@interlink/protocol";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PluginError } from "../plugin-error.ts";
import { eventually } from "../testing/eventually.ts";
import { FakeProcess, textOf } from "../testing/fake-process.ts";
import { FakeProvider } from "../testing/fake-provider.ts";
import { silentLogger } from "../testing/recording-logger.ts";
import type { RunningPlugin, ServePluginOptions } from "./options.ts";
import { servePlugin } from "./serve-plugin.ts";

const pod = { Namespace: "default", PodName: "web-0", PodUID: "u-1" };
const attach: AttachRequest = {
  ...pod,
  ContainerName: "main",
  Stdin: true,
  Stdout: true,
  Stderr: true,
  TTY: false,
};
const exec: ExecRequest = { ...attach, Command: ["sh", "-c", "echo 'a b'"] };

let provider: FakeProvider;
let plugin: RunningPlugin;
let client: InterlinkClient;

async function serve(options: Partial<ServePluginOptions> = {}): Promise<void> {
  await client?.close();
  await plugin?.close();
  provider = new FakeProvider();
  provider.features = ["exec", "attach", "port-forward", "stats"];
  plugin = await servePlugin(provider, {
    listen: { host: "127.0.0.1", port: 0 },
    logger: silentLogger,
    ...options,
  });
  client = createInterlinkClient({ address: plugin.address, peer: "plugin" });
}

beforeEach(() => serve());
afterEach(async () => {
  await client.close();
  await plugin.close();
});

async function metric(name: string): Promise<string[]> {
  const answer = await fetch(`${plugin.address}/metrics`);
  return (await answer.text()).split("\n").filter((line) => line.startsWith(name));
}

describe("exec and attach", () => {
  test("reach the provider as they were asked, and carry its streams", async () => {
    for (const kind of ["exec", "attach"] as const) {
      const running = new FakeProcess();
      let asked: AttachRequest | undefined;
      const begin = async (request: AttachRequest): Promise<FakeProcess> => {
        asked = request;
        return running;
      };
      provider.onExec = begin;
      provider.onAttach = begin;
      const streams = kind === "exec" ? await client.exec(exec) : await client.attach(attach);
      expect(asked).toEqual(kind === "exec" ? exec : attach);
      streams.stdin?.end("in");
      expect(await textOf(running.stdin)).toBe("in");
      running.stdout.write("out");
      running.stderr.write("err");
      running.exit(5);
      expect(await Promise.all([textOf(streams.stdout), textOf(streams.stderr)])).toEqual([
        "out",
        "err",
      ]);
      expect(await streams.ended).toEqual({ exitCode: 5 });
      await running.whenClosed;
    }
    await eventually("no stream is counted", async () =>
      (await metric("interlink_plugin_interactive_streams")).every((line) => line.endsWith(" 0")),
    );
  });

  test("are refused in the provider's words before the upgrade", async () => {
    provider.onExec = async () => {
      throw new PluginError("not-found", 'container not found ("main")');
    };
    await expect(client.exec(exec)).rejects.toMatchObject({
      code: "refused",
      httpStatus: 404,
      message: 'container not found ("main")',
    });
  });

  test("are refused where they are not offered", async () => {
    provider.features = [];
    await expect(client.exec(exec)).rejects.toMatchObject({ httpStatus: 404 });
    await expect(client.attach(attach)).rejects.toMatchObject({ httpStatus: 404 });
    await expect(client.stats()).rejects.toMatchObject({ httpStatus: 404 });
    expect(provider.calls).toEqual([]);
  });

  test("are refused when as many as allowed are open, until one has ended", async () => {
    await serve({ interactiveStreams: 1 });
    const running = new FakeProcess();
    provider.onExec = async () => running;
    const first = await client.exec(exec);
    await expect(client.exec(exec)).rejects.toMatchObject({
      httpStatus: 503,
      message: expect.stringContaining("Already 1 streams are open"),
    });
    first.close();
    await running.whenClosed;
    provider.onExec = async () => new FakeProcess();
    await eventually("there is room again", async () => {
      try {
        return await client.exec(exec);
      } catch {
        return undefined;
      }
    });
  });

  test("that do not begin in time are refused, and let go if they begin after all", async () => {
    await serve({ deadlines: { open: 50 } });
    const late = new FakeProcess();
    let begin: () => void = () => undefined;
    provider.onExec = () =>
      new Promise((resolve) => {
        begin = () => resolve(late);
      });
    await expect(client.exec(exec)).rejects.toMatchObject({ httpStatus: 503 });
    begin();
    await late.whenClosed;
  });

  test("are let go when the caller leaves, and tell the provider", async () => {
    const running = new FakeProcess();
    let told: AbortSignal | undefined;
    provider.onExec = async (_, signal) => {
      told = signal;
      return running;
    };
    const streams = await client.exec(exec);
    streams.close();
    await running.whenClosed;
    await eventually("the provider is told", () => told?.aborted);
  });

  test("end when the plugin closes, which waits for none of them", async () => {
    const running = new FakeProcess();
    provider.onExec = async () => running;
    const streams = await client.exec(exec);
    streams.stdout?.resume();
    streams.stderr?.resume();
    await plugin.close();
    await running.whenClosed;
    expect(await streams.ended).toEqual({ error: expect.stringContaining("shutting down") });
  });

  test("take a command as long as a kernel takes", async () => {
    const running = new FakeProcess();
    let asked: ExecRequest | undefined;
    provider.onExec = async (request) => {
      asked = request;
      return running;
    };
    const Command = ["sh", "-c", "é".repeat(65_000)];
    await client.exec({ ...exec, Command });
    expect(asked?.Command).toEqual(Command);
    running.exit(0);
  });
});

describe("port-forward", () => {
  test("carries bytes both ways, each with its own end", async () => {
    const there = new PassThrough();
    provider.onPortForward = async () => there;
    const connection = await client.portForward({ ...pod, Port: 8080 });
    connection.end("echoed");
    expect(await textOf(connection)).toBe("echoed");
  });

  test("is refused when nothing listens there", async () => {
    provider.onPortForward = async () => {
      throw new PluginError("rejected", "connection refused");
    };
    await expect(client.portForward({ ...pod, Port: 1 })).rejects.toMatchObject({
      message: "connection refused",
    });
  });
});

test("stats are the provider's", async () => {
  const time = "2026-01-01T00:00:00Z";
  const answer: StatsAnswer = {
    pods: [
      {
        podRef: { name: "web-0", namespace: "default", uid: "u-1" },
        startTime: time,
        containers: [{ name: "main", startTime: time, cpu: { time, usageCoreNanoSeconds: 1e17 } }],
      },
    ],
  };
  provider.onStats = async () => answer;
  expect(await client.stats()).toEqual(answer);
});

/** What a raw connection is answered, until the other side closes it. */
function raw(bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(plugin.address);
    const socket = connect(Number(port), "127.0.0.1");
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" || error.code === "EPIPE" ? undefined : reject(error),
    );
    socket.write(bytes);
  });
}

const QUERY = "namespace=default&pod=web-0&uid=u-1&container=main&command=ls&stdout=1";
const upgrade = (path: string, headers: Record<string, string> = {}): string => {
  const all: Record<string, string> = {
    Host: "plugin",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "v5.channel.k8s.io",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
};

describe("hostile callers", () => {
  afterEach(async () => {
    expect(await (await fetch(`${plugin.address}/healthz`)).text()).toBe("ok");
  });

  test.each([
    ["a page in a browser", upgrade(`/exec?${QUERY}`, { Origin: "http://evil" }), 403],
    ["another subprotocol", upgrade(`/exec?${QUERY}`, { "Sec-WebSocket-Protocol": "chat" }), 400],
    ["no parameters", upgrade("/exec"), 400],
    ["a path in a name", upgrade(`/exec?${QUERY}`.replace("main", "..%2Fmain")), 400],
    ["an unknown path", upgrade("/somewhere"), 404],
    ["a broken escape", upgrade("/exec?%"), 400],
    ["a plain request", `GET /exec?${QUERY} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, 426],
  ])("%s is refused with words", async (_, request, status) => {
    const answer = await raw(request);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer.split("\r\n\r\n")[1]).not.toBe("");
    expect(provider.calls).toEqual([]);
  });

  test("a handshake that is none is refused, and what had begun is let go", async () => {
    for (const headers of [{ "Sec-WebSocket-Key": "short" }, { "Sec-WebSocket-Version": "1" }]) {
      const running = new FakeProcess();
      provider.onExec = async () => running;
      expect(await raw(upgrade(`/exec?${QUERY}`, headers))).toMatch(/^HTTP\/1.1 4/);
      await running.whenClosed;
    }
  });

  test("a caller that resets the connection while it is being looked at ends nothing else", async () => {
    const running = new FakeProcess();
    let asked: () => void = () => undefined;
    const whenAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    let begin: () => void = () => undefined;
    provider.onExec = () => {
      asked();
      return new Promise((resolve) => {
        begin = () => resolve(running);
      });
    };
    const { port } = new URL(plugin.address);
    const socket = connect(Number(port), "127.0.0.1");
    socket.write(upgrade(`/exec?${QUERY}`));
    await whenAsked;
    socket.resetAndDestroy();
    begin();
    await running.whenClosed;
  });

  test("any bytes after the upgrade end that stream only", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 64 }), async (bytes) => {
        const running = new FakeProcess();
        running.stdin.resume();
        provider.onExec = async () => running;
        const request = Buffer.concat([Buffer.from(upgrade(`/exec?${QUERY}`)), bytes]);
        const { port } = new URL(plugin.address);
        const socket = connect(Number(port), "127.0.0.1", () => socket.end(request));
        socket.on("error", () => undefined);
        socket.resume();
        await running.whenClosed;
        socket.destroy();
      }),
      { numRuns: 50 },
    );
  });

  test("a request that asks for h2c is served as if it had not", async () => {
    const body = JSON.stringify([
      { metadata: { uid: "u-1", name: "web-0", namespace: "default" } },
    ]);
    const answer = await raw(
      `POST /status HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(provider.calls).toEqual(["status"]);
  });
});
