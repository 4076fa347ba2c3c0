import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Node } from "kubernetes-types/core/v1.js";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { podManifest } from "./harness/manifest.ts";
import { PlainPlugin } from "./harness/plain-plugin.ts";
import { type ClientProgram, StreamClient } from "./harness/stream-client.ts";
import { System } from "./harness/system.ts";
import { describeClusters } from "./systems/describe-system.ts";
import { freePorts } from "./systems/free-ports.ts";
import { waitUntil } from "./systems/wait-until.ts";

/** Every way in which a kubectl of today or of 1.20 speaks to a node. */
function clientPrograms(): ClientProgram[] {
  const kubectl = inject("kubectl");
  const kubernetes = inject("kubernetes");
  if ("missing" in kubectl) return [];
  const { path } = kubectl.system;
  const spdy = {
    KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false",
    KUBECTL_PORT_FORWARD_WEBSOCKETS: "false",
  };
  const old = "system" in kubernetes ? kubernetes.system.kubectl : undefined;
  return [
    { title: "kubectl of today", path },
    { title: "kubectl of today over SPDY", path, env: spdy },
    ...(old === undefined ? [] : [{ title: "kubectl 1.20", path: old }]),
  ];
}

/** Serves HTTP on one port; on the other it tells, when the client has said all, how much that was. */
const SERVERS = `
const [web, count] = process.argv.slice(1).map(Number);
require("http").createServer((q, r) => r.end("you asked for " + q.url)).listen(web, "127.0.0.1");
require("net").createServer({ allowHalfOpen: true }, (socket) => {
  let size = 0;
  socket.on("data", (chunk) => { size += chunk.length; });
  socket.on("end", () => socket.end("heard " + size));
  socket.on("error", () => {});
}).listen(count, "127.0.0.1", () => console.log("serving"));
`;

describeClusters("the streams of a pod", (target) => {
  let system: System;
  let shared: string;
  let webPort = 0;
  let countPort = 0;
  let deadPort = 0;

  beforeAll(async () => {
    shared = await mkdtemp(join(tmpdir(), "interlink-streams-"));
    [webPort = 0, countPort = 0, deadPort = 0] = await freePorts(3);
    system = await System.start({ plugin: { name: "process" }, target });
    await run("shell", ["sh", "-c", "while :; do sleep 60; done"]);
    await run("servers", ["node", "-e", SERVERS, String(webPort), String(countPort)]);
    await waitUntil("the servers listen", async () =>
      (await system.kubectl.try(["logs", "servers"])).stdout.includes("serving"),
    );
  });
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
    await rm(shared, { recursive: true, force: true });
  });

  async function run(name: string, command: string[], container: object = {}): Promise<void> {
    const manifest = podManifest(name, { container: { command, ...container } });
    await system.kubectl.run(["apply", "-f", "-"], { input: manifest });
    await system.podInPhase(name, "Running");
  }

  describe.each(clientPrograms())("by $title", (program) => {
    let client: StreamClient;
    let suffix: string;
    beforeAll(() => {
      client = new StreamClient(program, system.cluster.kubeconfigFile);
      suffix = randomBytes(3).toString("hex");
    });

    test("exec tells outputs apart and gives the exit code", async () => {
      const script = "echo out; echo err >&2; exit 7";
      const { code, stdout, stderr } = await client.run([
        "exec",
        "shell",
        "--",
        "sh",
        "-c",
        script,
      ]);
      expect(stdout.toString()).toBe("out\n");
      expect(stderr).toContain("err\n");
      expect(stderr).toContain("command terminated with exit code 7");
      expect(code).toBe(7);
    });

    test("exec carries input to its end, and every byte as it is", async () => {
      const bytes = randomBytes(3_000_000);
      const { code, stdout } = await client.run(["exec", "-i", "shell", "--", "cat"], bytes);
      expect(stdout.equals(bytes)).toBe(true);
      expect(code).toBe(0);
    });

    test("exec ends with a program that does not read its input", async () => {
      const args = ["exec", "-i", "shell", "--", "sh", "-c", "echo done; exit 3"];
      const { code, stdout } = await client.run(args, randomBytes(1_000_000));
      expect([stdout.toString(), code]).toEqual(["done\n", 3]);
    });

    test("exec has a terminal with a size that changes", async () => {
      const ready = join(shared, `ready-${suffix}`);
      const inPod = `
        until [ "$(stty size)" = "24 80" ]; do sleep 0.05; done
        tty > /dev/null && echo "a terminal"
        touch ${ready}
        until [ "$(stty size)" = "40 120" ]; do sleep 0.05; done
        echo "and larger"; exit 6`;
      const outside = `
        stty rows 24 cols 80
        (until [ -e ${ready} ]; do sleep 0.05; done; stty rows 40 cols 120 < /dev/tty) &`;
      const args = ["exec", "-it", "shell", "--", "sh", "-c", inPod];
      const { code, stdout } = await client.inTerminal(outside, args);
      expect(stdout.toString()).toMatch(/a terminal\r\n[^]*and larger\r\n/);
      expect(code).toBe(6);
    });

    test("exec takes a long script", async () => {
      const script = `exit 9 # ${"x".repeat(60_000)}`;
      const { code } = await client.run(["exec", "shell", "--", "sh", "-c", script]);
      expect(code).toBe(9);
    });

    test("exec says what cannot be run, and where", async () => {
      const missing = await client.run(["exec", "shell", "--", "no-such-program"]);
      expect(missing.code).not.toBe(0);
      expect(missing.stderr).toContain("no-such-program");
      const nowhere = await client.run(["exec", "shell", "-c", "other", "--", "true"]);
      expect(nowhere.stderr).toContain("container other is not valid for pod shell");
    });

    test("cp carries a tree of files there and back", async () => {
      const from = join(shared, `from-${suffix}`);
      const bytes = randomBytes(1_000_000);
      await mkdir(join(from, "deeper"), { recursive: true });
      await writeFile(join(from, "deeper", "bytes"), bytes);
      await writeFile(join(from, "name with blanks"), "text");
      const inPod = join(shared, `pod-${suffix}`);
      const back = join(shared, `back-${suffix}`);
      expect(await client.run(["cp", from, `shell:${inPod}`])).toMatchObject({ code: 0 });
      expect(await client.run(["cp", `shell:${inPod}`, back])).toMatchObject({ code: 0 });
      expect((await readFile(join(back, "deeper", "bytes"))).equals(bytes)).toBe(true);
      expect(await readFile(join(back, "name with blanks"), "utf8")).toBe("text");
    });

    test("attach reaches the process that runs, with input", async () => {
      const name = `attached-${suffix}`;
      const script = "read line; echo got $line; exit 4";
      await run(name, ["sh", "-c", script], { stdin: true, stdinOnce: true });
      const { stdout } = await client.run(["attach", "-i", name], "hello\n");
      expect(stdout.toString()).toContain("got hello\n");
      const pod = await system.podInPhase(name, "Failed");
      const { state } = pod.status?.containerStatuses?.[0] ?? {};
      expect(state?.terminated?.exitCode).toBe(4);
    });

    test("port-forward joins many connections, half-close included, and tells of one that fails", async () => {
      const ports = [webPort, countPort, deadPort].map((port) => `:${port}`);
      await using forward = client.start(["port-forward", "pod/servers", ...ports]);
      const local = async (port: number): Promise<number> => {
        const [, found] = await forward.output(new RegExp(`127\\.0\\.0\\.1:(\\d+) -> ${port}\\b`));
        return Number(found);
      };
      const web = await local(webPort);
      const answers = await Promise.all(
        ["a", "b", "c", "d"].map(async (path) => {
          const { body } = await request(`http://127.0.0.1:${web}/${path}`);
          return body.text();
        }),
      );
      expect(answers).toEqual(["a", "b", "c", "d"].map((path) => `you asked for /${path}`));
      const said = await Promise.all(
        [1, 1_000_000].map(async (size) => half(await local(countPort), randomBytes(size))),
      );
      expect(said).toEqual(["heard 1", "heard 1000000"]);
      // Last: current kubectls end the whole port-forward when one port cannot be reached, as with any kubelet.
      const dead = connect(await local(deadPort), "127.0.0.1");
      dead.on("error", () => undefined).resume();
      await once(dead, "close");
      await forward.output(new RegExp(`error forwarding port ${deadPort} to pod`));
    });
  });

  test("statistics come through the API server as metrics readers ask for them", async () => {
    const raw = (path: string) =>
      system.kubectl.run(["get", "--raw", `/api/v1/nodes/${system.nodeName}/proxy${path}`]);
    const line =
      /container_cpu_usage_seconds_total\{container="main",namespace="default",pod="servers"\} (\S+) \d{13}\n/;
    const metrics = await waitUntil("the CPU time of the pod is told", async () => {
      const text = await raw("/metrics/resource");
      return line.test(text) ? text : undefined;
    });
    expect(Number(line.exec(metrics)?.[1])).toBeGreaterThan(0);
    expect(metrics).toMatch(/node_memory_working_set_bytes [1-9]\d+ \d{13}\n/);
    const summary = JSON.parse(await raw("/stats/summary?only_cpu_and_memory=true")) as {
      node: object;
      pods: { podRef: { name: string }; containers: object[] }[];
    };
    expect(summary.node).toMatchObject({
      nodeName: system.nodeName,
      cpu: { usageCoreNanoSeconds: expect.any(Number) },
      memory: { workingSetBytes: expect.any(Number) },
    });
    const servers = summary.pods.find(({ podRef }) => podRef.name === "servers");
    expect(servers?.containers[0]).toMatchObject({
      name: "main",
      cpu: { usageCoreNanoSeconds: expect.any(Number) },
      memory: { workingSetBytes: expect.any(Number) },
    });
    expect(await raw("/metrics/cadvisor")).toContain("container_memory_working_set_bytes{");
    expect(JSON.parse(await raw("/runningpods/"))).toMatchObject({ kind: "PodList" });
    expect(JSON.parse(await raw("/configz"))).toMatchObject({ kubeletconfig: {} });
    expect(await raw("/healthz")).toBe("ok");
  });

  test("nobody unknown gets more than health from the node itself", async () => {
    const node = await system.kubectl.json<Node>(["get", "node", system.nodeName]);
    const port = Number(node.status?.daemonEndpoints?.kubeletEndpoint?.Port);
    const ask = (path: string, headers: Record<string, string> = {}): Promise<number> =>
      new Promise((resolve, reject) => {
        const options = { host: "127.0.0.1", port, path, headers, rejectUnauthorized: false };
        const asked = httpsRequest({ ...options, method: "GET", agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        asked.on("upgrade", (response, socket) => {
          socket.destroy();
          resolve(response.statusCode ?? 0);
        });
        asked.on("error", reject).end();
      });
    expect(await ask("/healthz")).toBe(200);
    for (const path of ["/pods", "/stats/summary", "/metrics/resource", "/configz"])
      expect(await ask(path)).toBe(401);
    const upgrade = {
      connection: "Upgrade",
      upgrade: "SPDY/3.1",
      "x-stream-protocol-version": "v4.channel.k8s.io",
    };
    expect(await ask("/exec/default/shell/main?command=id&output=1", upgrade)).toBe(401);
    expect(await ask("/portForward/default/shell", upgrade)).toBe(401);
    const badToken = { ...upgrade, authorization: "Bearer nobody" };
    expect(await ask("/attach/default/shell/main?output=1", badToken)).toBe(401);
  });
});

describeClusters("the streams of a plugin that offers none", (target) => {
  let directory: string;
  let plugin: PlainPlugin;
  let system: System;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "interlink-plain-"));
    const socket = join(directory, "plugin.sock");
    plugin = await PlainPlugin.start(socket);
    system = await System.start({ plugin: { name: "given", address: `unix://${socket}` }, target });
    await system.kubectl.run(["apply", "-f", "-"], { input: podManifest("plain") });
    await system.podInPhase("plain", "Running");
  });
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
    await plugin?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  test.each(clientPrograms())("are refused in a sentence that $title shows", async (program) => {
    const client = new StreamClient(program, system.cluster.kubeconfigFile);
    for (const [feature, ...args] of [
      ["exec", "exec", "plain", "--", "true"],
      ["attach", "attach", "plain"],
      ["port-forward", "port-forward", "plain", ":80"],
    ]) {
      await using running = client.start(args);
      await running.output(new RegExp(`the plugin behind this .* does not offer ${feature}`));
    }
    const { code } = await client.run(["exec", "plain", "--", "true"]);
    expect(code).not.toBe(0);
  });

  test("statistics are left out and never zero", async () => {
    const path = `/api/v1/nodes/${system.nodeName}/proxy/metrics/resource`;
    const values = (await system.kubectl.run(["get", "--raw", path])).match(/^[^#].*/gm);
    expect(values).toEqual(["resource_scrape_error 0", "scrape_error 0"]);
  });
});

/** Says all, and hears the answer to it. */
async function half(port: number, bytes: Buffer): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  socket.end(bytes);
  await once(socket, "end");
  return text;
}
