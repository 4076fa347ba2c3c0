import { once } from "node:events";
import { createServer, connect as dial } from "node:net";
import { Duplex } from "node:stream";
import { eventually } from "@interlink/kube/testing";
import type { Pod } from "kubernetes-types/core/v1.js";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import type { WebSocket } from "ws";
import { FakeProcess } from "../testing/fake-kubelet-backend.ts";
import { KubeletWorld, webSocketHeaders } from "../testing/kubelet-world.ts";
import { type ClientStream, SpdyClient } from "../testing/spdy-client.ts";
import type { KubeletBackend } from "./backend.ts";
import type { KubeletTiming } from "./kubelet-api.ts";
import { KubeletError } from "./kubelet-error.ts";
import type { CommandOptions } from "./streams/command-options.ts";

const state = (name: string, running: boolean) => ({
  name,
  image: "",
  imageID: "",
  ready: running,
  restartCount: 0,
  state: running ? { running: {} } : { terminated: { exitCode: 3 } },
});
const longName = "c".repeat(253);
const pod: Pod = {
  metadata: { name: "p", namespace: "ns", uid: "u" },
  spec: {
    containers: [
      { name: longName },
      { name: "c", stdin: true },
      { name: "t", stdin: true, tty: true },
      { name: "quiet" },
      { name: "ended" },
      { name: "late" },
    ],
  },
  status: {
    containerStatuses: [
      state(longName, true),
      state("c", true),
      state("t", true),
      state("quiet", true),
      state("ended", false),
      { ...state("late", false), state: { waiting: { reason: "ImagePullBackOff" } } },
    ],
  },
};

/** A wait that no test sees the end of. */
const NEVER_MS = 3_600_000;

interface Begun {
  container: string;
  command: readonly string[];
  options: CommandOptions;
  process: FakeProcess;
  signal: AbortSignal;
}

let world: KubeletWorld;
let begun: Begun[];
let refusal: Error | undefined;
let offered: boolean;
let connectPod: KubeletBackend["portForward"];
let ports: number[];

/** A node whose processes are written down in `begun`. */
function start(
  timing: Partial<KubeletTiming>,
  maxStreamConnections?: number,
): Promise<KubeletWorld> {
  const begin = (
    container: string,
    command: readonly string[],
    options: CommandOptions,
    signal: AbortSignal,
  ): Promise<FakeProcess> => {
    if (refusal !== undefined) return Promise.reject(refusal);
    const process = new FakeProcess(options);
    begun.push({ container, command, options, process, signal });
    return Promise.resolve(process);
  };
  return KubeletWorld.start(
    [pod],
    {
      requireOffer: (feature) => {
        if (!offered) throw new KubeletError("not-implemented", `no ${feature} here`);
      },
      exec: (_pod, container, command, options, signal) =>
        begin(container, command, options, signal),
      attach: (_pod, container, options, signal) => begin(container, [], options, signal),
      portForward: (which, port, signal) => {
        ports.push(port);
        return connectPod(which, port, signal);
      },
    },
    { streams: NEVER_MS, size: NEVER_MS, ...timing },
    maxStreamConnections,
  );
}

beforeEach(async () => {
  begun = [];
  ports = [];
  refusal = undefined;
  offered = true;
  connectPod = () => Promise.reject(new Error("connection refused"));
  world = await start({});
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

const theProcess = async (): Promise<FakeProcess> =>
  eventually(() => begun[0]?.process, "the process");
const success = { metadata: {}, status: "Success" };
const failure = (code: number) => ({
  metadata: {},
  status: "Failure",
  message: `command terminated with non-zero exit code: exit status ${code}`,
  reason: "NonZeroExitCode",
  details: { causes: [{ reason: "ExitCode", message: String(code) }] },
});

describe("before an upgrade", () => {
  const spdy = {
    connection: "Upgrade",
    upgrade: "SPDY/3.1",
    "x-stream-protocol-version": "v4.channel.k8s.io",
  };
  const webSocket = webSocketHeaders;
  const paths = [
    "/exec/ns/p/c?command=a&output=1",
    "/attach/ns/p/u/c?output=1",
    "/portForward/ns/p",
  ];

  test.each(paths)("nobody is let in who is not known: %s", async (path) => {
    for (const headers of [spdy, webSocket, { connection: "Upgrade", upgrade: "other" }]) {
      const method = headers === spdy ? "POST" : "GET";
      const answer = await world.ask(path, { method, headers, anonymous: true });
      expect(answer).toMatchObject({ status: 401, text: "Unauthorized" });
    }
    expect(begun).toEqual([]);
  });

  test("an upgrade is asked of no path that has none, known sender or not", async () => {
    expect(await world.ask("/pods", { headers: spdy, anonymous: true })).toMatchObject({
      status: 401,
    });
    expect(await world.ask("/pods", { headers: webSocket })).toMatchObject({ status: 200 });
    expect(await world.ask("/nowhere", { headers: webSocket })).toMatchObject({ status: 404 });
  });

  test("the cluster is asked for proxy: create for POST, get for GET", async () => {
    world.allow = () => false;
    for (const path of paths) {
      const posted = await world.ask(path, { method: "POST", headers: spdy });
      expect(posted).toMatchObject({
        status: 403,
        text: "Forbidden (user=apiserver, verb=create, resource=nodes, subresource(s)=[proxy])",
      });
      expect(await world.ask(path, { headers: webSocket })).toMatchObject({ status: 403 });
    }
    expect(world.reviews).toEqual(["create proxy", "get proxy"]);
  });

  test.each<[string, string, number, string]>([
    ["no stream is wanted", "/exec/ns/p/c?command=a", 400, "at least 1 of stdin, stdout, stderr"],
    ["a flag is on only with 1", "/exec/ns/p/c?command=a&output=true", 400, "at least 1 of"],
    ["there is no command", "/exec/ns/p/c?output=1", 400, "you must specify a command"],
    ["there is no pod", "/exec/ns/q/c?command=a&output=1", 404, "pod does not exist"],
    ["the pod is another", "/exec/ns/p/other/c?command=a&output=1", 404, "pod does not exist"],
    ["there is no container", "/exec/ns/p/x?command=a&output=1", 404, 'container not found ("x")'],
    ["it has ended", "/exec/ns/p/ended?command=a&output=1", 400, "ended with exit code 3"],
    ["it waits", "/attach/ns/p/late?output=1", 400, "ImagePullBackOff"],
    ["there is no pod to forward to", "/portForward/ns/q", 404, "pod does not exist"],
  ])("says what is wrong: %s", async (_, path, status, text) => {
    const answer = await world.ask(path, { method: "POST", headers: spdy });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
    // kubectl takes such a text for the YAML of a Status, and shows nothing of it.
    expect(answer.text).not.toMatch(/: /);
    expect(begun).toEqual([]);
  });

  test("says that the site does not offer it", async () => {
    offered = false;
    for (const path of paths) {
      const answer = await world.ask(path, { method: "POST", headers: spdy });
      expect(answer.status).toBe(501);
      expect(answer.text).toMatch(/^no \S+ here$/);
    }
  });

  test.each(paths)("refuses what is no upgrade, or agrees on nothing: %s", async (path) => {
    const plain = await world.ask(path, { method: "POST" });
    expect(plain).toMatchObject({
      status: 400,
      text: "unable to upgrade: missing upgrade headers in request",
    });
    const { "x-stream-protocol-version": _, ...without } = spdy;
    const silent = await world.ask(path, { method: "POST", headers: without });
    expect(silent.status).toBe(400);
    expect(silent.text).toContain("header X-Stream-Protocol-Version does not exist in request");
    const foreign = { ...spdy, "x-stream-protocol-version": ["v9", "v8"] };
    const answer = await world.ask(path, { method: "POST", headers: foreign });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain("client supports [v9 v8], server accepts [");
    expect(answer.headers["x-accepted-stream-protocol-versions"]).toContain("k8s.io");
    const odd = { ...webSocket, "sec-websocket-protocol": "chat" };
    expect(await world.ask(path, { headers: odd })).toMatchObject({ status: 403 });
  });

  test("a request with a body is no upgrade", async () => {
    const headers = { ...spdy, "content-length": "5" };
    const answer = await world.ask(paths[0] ?? "", { headers });
    expect(answer.status).toBe(400);
  });
});

describe("exec over SPDY", () => {
  const open = async (
    client: SpdyClient,
    ...types: string[]
  ): Promise<Record<string, ClientStream>> => {
    const streams: Record<string, ClientStream> = {};
    for (const type of types) streams[type] = await client.open({ streamtype: type });
    return streams;
  };

  it("carries input, both outputs and the exit code, and closes", async () => {
    const path = "/exec/ns/p/u/c?command=sh&command=-c&command=a%20b&input=1&output=1&error=1";
    const client = await world.spdy(path, ["v5.channel.k8s.io", "v4.channel.k8s.io"]);
    expect(client.protocol).toBe("v4.channel.k8s.io");
    const { error, stdin, stdout, stderr } = await open(
      client,
      "error",
      "stdin",
      "stdout",
      "stderr",
    );
    const process = await theProcess();
    expect(begun[0]).toMatchObject({
      container: "c",
      command: ["sh", "-c", "a b"],
      options: { stdin: true, stdout: true, stderr: true, tty: false },
    });
    client.write(stdin, "in", true);
    let input = "";
    for await (const chunk of process.stdin!) input += String(chunk);
    expect(input).toBe("in");
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 256));
    process.stdout?.write(bytes);
    process.end({ exitCode: 3 }, "", "oops");
    await eventually(() => client.closed && process.closed, "the end of the connection");
    expect(stdout?.bytes().equals(bytes)).toBe(true);
    expect(stderr?.text()).toBe("oops");
    expect(JSON.parse(error?.text() ?? "")).toEqual(failure(3));
    expect([stdout?.ended, stderr?.ended, error?.ended]).toEqual([true, true, true]);
  });

  it("gives a terminal one output and its sizes", async () => {
    const path = "/exec/ns/p/c?command=sh&input=1&output=1&error=1&tty=1";
    const client = await world.spdy(path, ["v4.channel.k8s.io"]);
    const { error, resize, stdout } = await open(client, "error", "stdin", "stdout", "resize");
    client.write(resize, '{"Width":80,"Height":24}\n{"Wid');
    const process = await theProcess();
    expect(begun[0]?.options).toEqual({
      stdin: true,
      stdout: true,
      stderr: false,
      tty: true,
      size: { width: 80, height: 24 },
    });
    client.write(resize, 'th":100,"Height":50}\n');
    await eventually(() => process.sizes.length === 2);
    expect(process.sizes).toEqual([
      { width: 80, height: 24 },
      { width: 100, height: 50 },
    ]);
    process.end({ exitCode: 0 }, "bye");
    await eventually(() => client.closed);
    expect(stdout?.text()).toBe("bye");
    expect(JSON.parse(error?.text() ?? "")).toEqual(success);
  });

  test.each<[string, number, string]>([
    ["v3.channel.k8s.io", 0, ""],
    ["v3.channel.k8s.io", 2, "command terminated with non-zero exit code: exit status 2"],
    ["v2.channel.k8s.io", 2, "command terminated with non-zero exit code: exit status 2"],
    [
      "channel.k8s.io",
      2,
      "error executing command in container: command terminated with non-zero exit code: exit status 2",
    ],
  ])("an old client of %s is told of exit code %i in words", async (protocol, exitCode, words) => {
    const client = await world.spdy("/exec/ns/p/c?command=sh&output=1", [protocol]);
    const { error } = await open(client, "error", "stdout");
    (await theProcess()).end({ exitCode });
    await eventually(() => client.closed);
    expect(error?.text()).toBe(words);
  });

  it("tells on the error stream why the site did not begin", async () => {
    refusal = new Error("the site could not exec: no such file");
    const client = await world.spdy("/exec/ns/p/c?command=sh&output=1", ["v4.channel.k8s.io"]);
    const { error } = await open(client, "error", "stdout");
    await eventually(() => client.closed);
    expect(JSON.parse(error?.text() ?? "")).toMatchObject({
      status: "Failure",
      reason: "InternalError",
      code: 500,
      message:
        "Internal error occurred: error executing command in container: the site could not exec: no such file",
    });
  });

  it("gives up a client that does not open its streams, and begins nothing", async () => {
    await using hasty = await start({ streams: 300 });
    const client = await hasty.spdy("/exec/ns/p/c?command=sh&output=1", ["v4.channel.k8s.io"]);
    const { odd } = await open(client, "error", "odd");
    await eventually(() => client.closed);
    expect(odd?.reset).toBe(3);
    expect(begun).toEqual([]);
  });

  it("lets go of the process when the client leaves", async () => {
    const path = "/exec/ns/p/c?command=sh&output=1&input=1";
    const client = await world.spdy(path, ["v4.channel.k8s.io"]);
    await open(client, "error", "stdout", "stdin");
    const process = await theProcess();
    client.destroy();
    await eventually(() => process.closed);
    expect(begun[0]?.signal.aborted).toBe(true);
  });

  it("lets the process end while the client still has input for it", async () => {
    const path = "/exec/ns/p/c?command=sh&output=1&input=1";
    const client = await world.spdy(path, ["v4.channel.k8s.io"]);
    const { stdin, error } = await open(client, "error", "stdout", "stdin");
    const process = await theProcess();
    for (let index = 0; index < 20; index += 1) client.write(stdin, Buffer.alloc(100_000));
    process.stdin?.destroy();
    process.end({ exitCode: 0 });
    await eventually(() => client.closed);
    expect(JSON.parse(error?.text() ?? "")).toEqual(success);
  });

  it("begins a program in a terminal when the size of that is known", async () => {
    const path = "/exec/ns/p/c?command=vi&output=1&tty=1";
    const client = await world.spdy(path, ["v4.channel.k8s.io"]);
    const { resize } = await open(client, "error", "stdout", "resize");
    await eventually(() => resize?.replied);
    expect(begun).toEqual([]);
    client.write(resize, '{"Width":80,"Height":24}');
    const process = await theProcess();
    await eventually(() => process.sizes.length === 1);
  });

  it("takes long commands and long names", async () => {
    const script = "x".repeat(200_000);
    const path = `/exec/ns/p/${longName}?command=${script}&output=1`;
    const client = await world.spdy(path, ["v4.channel.k8s.io"]);
    await open(client, "error", "stdout");
    await theProcess();
    expect(begun[0]).toMatchObject({ container: longName, command: [script] });
  });

  it("closes a connection on which nothing is said for long, and refuses one too many", async () => {
    const path = "/exec/ns/p/c?command=sh&output=1";
    await using narrow = await start({}, 1);
    await narrow.spdy(path, ["v4.channel.k8s.io"]);
    await expect(narrow.spdy(path, ["v4.channel.k8s.io"])).rejects.toThrow("503 too many streams");

    await using impatient = await start({ idle: 1500 });
    const client = await impatient.spdy(path, ["v4.channel.k8s.io"]);
    await open(client, "error", "stdout");
    const process = await theProcess();
    await eventually(() => client.closed && process.closed);
  });

  it("is cut when the node stops", async () => {
    const client = await world.spdy("/exec/ns/p/c?command=sh&output=1", ["v4.channel.k8s.io"]);
    await open(client, "error", "stdout");
    const process = await theProcess();
    await world.api.close();
    await eventually(() => client.closed && process.closed);
  });
});

describe("attach", () => {
  it("has the terminal and input that the container was started with, not those of the client", async () => {
    const first = await world.spdy("/attach/ns/p/t?output=1&error=1", ["v4.channel.k8s.io"]);
    for (const streamtype of ["error", "stdout", "stderr"]) await first.open({ streamtype });
    await theProcess();
    const second = await world.spdy("/attach/ns/p/quiet?input=1&output=1", ["v4.channel.k8s.io"]);
    for (const streamtype of ["error", "stdout", "stdin"]) await second.open({ streamtype });
    await eventually(() => begun.length === 2);
    expect(begun.map(({ options }) => options)).toEqual([
      { stdin: false, stdout: true, stderr: false, tty: true },
      { stdin: false, stdout: true, stderr: false, tty: false },
    ]);
    begun[0]?.process.end({ exitCode: 0 }, "text");
    await eventually(() => first.closed);
    expect(first.streams.get(3)?.text()).toBe("text");
    expect(first.streams.get(5)?.ended).toBe(true);
  });
});

/** What came on a WebSocket, by channel. */
function heard(socket: WebSocket, base64 = false) {
  const channels = new Map<number, Buffer>();
  let code = 0;
  socket.on("message", (message: Buffer) => {
    const channel = (message[0] ?? 0) - (base64 ? 48 : 0);
    const bytes = base64
      ? Buffer.from(message.toString("latin1", 1), "base64")
      : message.subarray(1);
    channels.set(channel, Buffer.concat([channels.get(channel) ?? Buffer.alloc(0), bytes]));
  });
  socket.on("close", (given) => {
    code = given;
  });
  return {
    channels,
    text: (channel: number) => channels.get(channel)?.toString(),
    code: () => code,
  };
}

describe("exec over WebSocket", () => {
  const path = "/exec/ns/p/c?command=cat&input=1&output=1&error=1";

  test.each<[string[], boolean, unknown]>([
    [["v5.channel.k8s.io"], false, failure(7)],
    [["v4.channel.k8s.io"], false, failure(7)],
    [["v4.base64.channel.k8s.io"], true, failure(7)],
    [["channel.k8s.io"], false, undefined],
    [["base64.channel.k8s.io"], true, undefined],
    [[], false, undefined],
  ])("carries all streams in %j", async (protocols, base64, status) => {
    const socket = world.webSocket(path, protocols);
    const got = heard(socket, base64);
    await once(socket, "open");
    expect(socket.protocol).toBe(protocols[0] ?? "");
    const process = await theProcess();
    // Said before anything happened, so that a client knows that its streams are there.
    await eventually(() => got.channels.has(1));
    const frame = (channel: number, text: string): Buffer | string =>
      base64
        ? `${channel}${Buffer.from(text).toString("base64")}`
        : Buffer.from([channel, ...Buffer.from(text)]);
    socket.send(frame(0, "in"));
    socket.send(frame(9, "nobody asked for this channel"));
    expect(String((await once(process.stdin!, "data"))[0])).toBe("in");
    process.end({ exitCode: 7 }, "out", "err");
    await eventually(() => got.code() !== 0);
    expect([got.text(1), got.text(2), got.code()]).toEqual(["out", "err", 1000]);
    if (status === undefined) expect(got.text(3)).toMatch(/^error executing .* exit status 7$/);
    else expect(JSON.parse(got.text(3) ?? "")).toEqual(status);
  });

  it("ends the input by the signal of v5", async () => {
    const socket = world.webSocket(path, ["v5.channel.k8s.io", "v4.channel.k8s.io"]);
    const got = heard(socket);
    await once(socket, "open");
    const process = await theProcess();
    socket.send(Buffer.from([0, 0x61]));
    socket.send(Buffer.from([255, 0]));
    let input = "";
    for await (const chunk of process.stdin!) input += String(chunk);
    expect(input).toBe("a");
    process.end({ exitCode: 0 });
    await eventually(() => got.code() !== 0);
    expect(JSON.parse(got.text(3) ?? "")).toEqual(success);
  });

  it("carries the sizes of a terminal", async () => {
    const socket = world.webSocket("/exec/ns/p/c?command=a&tty=1&output=1", ["v4.channel.k8s.io"]);
    await once(socket, "open");
    socket.send(Buffer.from('\u0004{"Width":9,"Height":8}'));
    const process = await theProcess();
    await eventually(() => process.sizes.length === 1);
    expect(process.sizes).toEqual([{ width: 9, height: 8 }]);
    socket.terminate();
    await eventually(() => process.closed);
  });

  it("holds a client back whose input is not read", async () => {
    const socket = world.webSocket(path, ["v5.channel.k8s.io"]);
    await once(socket, "open");
    const process = await theProcess();
    const total = 64;
    for (let count = 0; count < total; count += 1) {
      const message = Buffer.alloc(1024 * 1024 - 1, 7);
      message[0] = 0;
      socket.send(message);
    }
    socket.send(Buffer.from([255, 0]));
    let last = -1;
    await eventually(() => {
      const still = socket.bufferedAmount === last;
      last = socket.bufferedAmount;
      return still && last > 0;
    });
    let size = 0;
    for await (const chunk of process.stdin!) size += (chunk as Buffer).length;
    expect(size).toBe(total * (1024 * 1024 - 2));
    socket.terminate();
  });
});

describe("port-forward", () => {
  /** An echo in the pod, that ends when its client does. */
  const echo = async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => undefined);
      socket.pipe(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    connectPod = async () => {
      const socket = dial({ port, host: "127.0.0.1", allowHalfOpen: true });
      await once(socket, "connect");
      return socket;
    };
    return server;
  };
  const pair = async (client: SpdyClient, port: string, requestid?: string) => {
    const id: Record<string, string> = requestid === undefined ? {} : { requestid };
    const error = await client.open({ streamtype: "error", port, ...id });
    const data = await client.open({ streamtype: "data", port, ...id });
    return { error, data };
  };
  const path = "/portForward/ns/p";

  it("joins each pair of streams with a connection of its own, half-close both ways", async () => {
    const server = await echo();
    const client = await world.spdy(path, ["portforward.k8s.io"]);
    const one = await pair(client, "8080", "0");
    const two = await pair(client, "9090", "1");
    const old = await pair(client, "7070");
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 251));
    client.write(two.data, "two", true);
    client.write(one.data, bytes);
    client.write(one.data, "", true);
    client.write(old.data, "old", true);
    await eventually(() => one.data.ended && two.data.ended && old.data.ended);
    expect(one.data.bytes().equals(bytes)).toBe(true);
    expect([two.data.text(), old.data.text()]).toEqual(["two", "old"]);
    await eventually(() => one.error.ended && two.error.ended && old.error.ended);
    expect([one.error.text(), two.error.text(), old.error.text()]).toEqual(["", "", ""]);
    expect(ports).toEqual([8080, 9090, 7070]);
    client.destroy();
    server.close();
  });

  it("says why the pod cannot be reached", async () => {
    const client = await world.spdy(path, ["portforward.k8s.io"]);
    const { data, error } = await pair(client, "8080", "0");
    await eventually(() => error.ended && data.reset !== undefined);
    expect(error.text()).toBe("error forwarding port 8080 to pod p_ns, uid u: connection refused");
  });

  it("keeps the others when one connection breaks, and says no words that would end them", async () => {
    const server = await echo();
    const broken = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => done(),
    });
    const healthy = connectPod;
    connectPod = (which, port, signal) =>
      port === 1 ? Promise.resolve(broken) : healthy(which, port, signal);
    const client = await world.spdy(path, ["portforward.k8s.io"]);
    const bad = await pair(client, "1", "0");
    const good = await pair(client, "2", "1");
    broken.push("begin");
    await eventually(() => bad.data.text() === "begin");
    broken.destroy(new Error("reset by peer"));
    await eventually(() => bad.data.reset !== undefined && bad.error.ended);
    expect(bad.error.text()).toBe("");
    client.write(good.data, "still", true);
    await eventually(() => good.data.ended);
    expect(good.data.text()).toBe("still");
    client.destroy();
    server.close();
  });

  it("lets go of the pod's connection when the client drops its own", async () => {
    const inPod = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    connectPod = () => Promise.resolve(inPod);
    const client = await world.spdy(path, ["portforward.k8s.io"]);
    const { data } = await pair(client, "8080", "0");
    await eventually(() => ports.length === 1);
    client.send({ type: "rst-stream", streamId: data.id, status: 5 });
    await eventually(() => inPod.destroyed);
    expect(client.closed).toBe(false);
  });

  it("refuses streams that make no sense, and gives up half of a pair", async () => {
    await using hasty = await start({ streams: 300 });
    const client = await hasty.spdy(path, ["portforward.k8s.io"]);
    const odd = await client.open({ streamtype: "stdin", port: "80" });
    const noPort = await client.open({ streamtype: "data", port: "70000" });
    const half = await client.open({ streamtype: "error", port: "80", requestid: "5" });
    await eventually(() => odd.reset === 3 && noPort.reset === 3 && half.ended);
    expect(half.text()).toContain("timed out waiting");
    expect(ports).toEqual([]);
  });

  it("goes in a WebSocket as a whole SPDY connection, as current kubectls have it", async () => {
    const server = await echo();
    const client = new SpdyClient(await world.tunnel(path, "SPDY/3.1+portforward.k8s.io"));
    const { data } = await pair(client, "8080", "0");
    client.write(data, "through", true);
    await eventually(() => data.ended);
    expect(data.text()).toBe("through");
    client.destroy();
    server.close();
  });

  it("goes over WebSocket channels, each beginning with its port", async () => {
    const server = await echo();
    const socket = world.webSocket(`${path}?port=8080,9090`, ["v4.channel.k8s.io"]);
    const got = heard(socket);
    await once(socket, "open");
    socket.send(Buffer.from("\u0000one"));
    socket.send(Buffer.from("\u0002two"));
    const head = (port: number) => String.fromCharCode(port & 255, port >> 8);
    await eventually(() => got.channels.get(0)?.length === 5 && got.channels.get(2)?.length === 5);
    const latin1 = (channel: number) => got.channels.get(channel)?.toString("latin1");
    expect([0, 1, 2, 3].map(latin1)).toEqual([
      `${head(8080)}one`,
      head(8080),
      `${head(9090)}two`,
      head(9090),
    ]);
    socket.terminate();
    server.close();
  });

  it("over WebSocket names ports that are some", async () => {
    const headers = { ...webSocketHeaders, "sec-websocket-protocol": "v4.channel.k8s.io" };
    for (const query of ["", "?port=0", "?port=x", `?port=${"1,".repeat(40)}1`]) {
      const answer = await world.ask(`${path}${query}`, { headers });
      expect(answer.status).toBe(400);
    }
  });
});

describe("run", () => {
  it("answers with the output, or with the exit code", async () => {
    const answer = world.ask("/run/ns/p/c?cmd=ls%20-l%20%20/", { method: "POST" });
    const process = await theProcess();
    expect(begun[0]?.command).toEqual(["ls", "-l", "/"]);
    process.end({ exitCode: 0 }, "out");
    expect(await answer).toMatchObject({ status: 200, text: "out" });
    begun.length = 0;
    const failed = world.ask("/run/ns/p/u/c?cmd=false", { method: "POST" });
    (await theProcess()).end({ exitCode: 4 }, "", "why");
    expect(await failed).toMatchObject({ status: 500, text: "command exited with 4: why" });
  });
});
