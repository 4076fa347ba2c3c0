import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createInterlinkClient,
  type PodCreateRequest,
  type StatsAnswer,
} from "@interlink/protocol";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type RunningServer, startServer } from "../../server.ts";
import { FakePlugin } from "../../testing/fake-plugin.ts";
import { fixture, send } from "../../testing/go-caller.ts";

let directory: string;
let slurm: FakePlugin;
let cloud: FakePlugin;
const open: RunningServer[] = [];
const lines: string[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "several-"));
  [slurm, cloud] = await Promise.all([new FakePlugin().start(), new FakePlugin().start()]);
  lines.length = 0;
  for (const plugin of [slurm, cloud]) {
    plugin
      .says("/create", "{}")
      .says("/delete", "")
      .on("/status", (request, response) => {
        const pods = JSON.parse(request.body) as PodCreateRequest["pod"][];
        const told = pods.map(({ metadata }) => ({
          name: metadata?.name,
          namespace: metadata?.namespace,
          UID: metadata?.uid,
          JID: plugin === slurm ? "slurm" : "cloud",
          containers: [{ name: "main", state: { running: { startedAt: "2026-01-01T00:00:00Z" } } }],
        }));
        response.end(JSON.stringify(told));
      })
      .on("/getLogs", (_, response) => response.end(plugin === slurm ? "slurm" : "cloud"));
  }
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
  await slurm[Symbol.asyncDispose]();
  await cloud[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function start(
  options: { plugins?: object; defaultPlugin?: string; registry?: Registry; limits?: object } = {},
): Promise<string> {
  const { plugins, defaultPlugin = "slurm", ...more } = options;
  const server = await startServer({
    listen: { host: "127.0.0.1", port: 0 },
    plugin: {
      plugins: (plugins ?? {
        slurm: { address: slurm.address },
        cloud: { address: cloud.address, nodes: ["cloud-node"] },
      }) as Record<string, { address: string }>,
      ...(defaultPlugin === "" ? {} : { defaultPlugin }),
      placements: join(directory, "placements"),
    },
    logger: pino({ level: "info" }, { write: (line) => void lines.push(line) }),
    ...more,
  });
  open.push(server);
  return server.address;
}

/** A create for the pod with this number. */
function pod(number: number, of: { wants?: string; node?: string } = {}) {
  const request = structuredClone(fixture("create-request").reads) as PodCreateRequest;
  const { metadata, spec } = request.pod;
  request.pod.metadata = {
    ...metadata,
    name: `p${number}`,
    uid: `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`,
    annotations: of.wants === undefined ? {} : { "interlink.eu/plugin": of.wants },
  };
  if (spec) spec.nodeName = of.node ?? "other-node";
  return { body: JSON.stringify(request), pod: request.pod };
}

const create = (address: string, one: { body: string }, path = "") =>
  send(address, "POST", `${path}/create`, one.body);
const status = async (address: string, ...pods: { pod: object }[]) => {
  const answer = await send(address, "GET", "/status", JSON.stringify(pods.map((one) => one.pod)));
  return {
    ...answer,
    jobs:
      answer.code === 200
        ? (JSON.parse(answer.body) as { JID: string }[]).map(({ JID }) => JID)
        : [],
  };
};
const logs = (address: string, uid = "", path = "") => {
  const { body } = fixture("log-request");
  const request = { ...(JSON.parse(body) as object), PodUID: uid };
  return send(address, "GET", `${path}/getLogs`, JSON.stringify(request));
};
const creates = (plugin: FakePlugin) => plugin.asked("/create").length;

describe("a new pod", () => {
  test.each([
    ["the default", {}, "", "slurm"],
    ["that of its annotation", { wants: "cloud" }, "", "cloud"],
    ["that of its node", { node: "cloud-node" }, "", "cloud"],
    [
      "that of its annotation before that of its node",
      { wants: "slurm", node: "cloud-node" },
      "",
      "slurm",
    ],
    ["that of the path that its node uses", {}, "/plugins/cloud", "cloud"],
  ])("goes to %s", async (_, of, path, expected) => {
    const address = await start();
    expect((await create(address, pod(1, of), path)).code).toBe(200);
    expect([creates(slurm), creates(cloud)]).toEqual(expected === "slurm" ? [1, 0] : [0, 1]);
  });

  test.each([
    [
      "an annotation with a plugin that is not there",
      { wants: "gone" },
      "",
      "there are slurm, cloud",
    ],
    [
      "an annotation against the path of its node",
      { wants: "slurm" },
      "/plugins/cloud",
      "its node serves only cloud",
    ],
  ])("is refused for %s", async (_, of, path, words) => {
    const address = await start();
    const answer = await create(address, pod(1, of), path);
    expect(answer.code).toBe(400);
    expect(answer.body).toContain(words);
    expect(creates(slurm) + creates(cloud)).toBe(0);
  });

  test("is refused when nothing says where it belongs", async () => {
    const address = await start({ defaultPlugin: "" });
    expect(await create(address, pod(1))).toMatchObject({
      code: 400,
      body: expect.stringContaining("no default"),
    });
  });

  test("a path with a plugin that is not there is no path", async () => {
    expect((await create(await start(), pod(1), "/plugins/gone")).code).toBe(404);
  });
});

describe("a pod stays with its plugin", () => {
  test("whatever its annotation, its node's path and the default say later, and after a restart", async () => {
    const first = await start();
    const one = pod(1, { wants: "cloud" });
    await create(first, one);
    await open.pop()?.close();

    const plugins = {
      cloud: { address: cloud.address },
      slurm: { address: slurm.address, nodes: ["other-node"] },
    };
    const address = await start({ plugins, defaultPlugin: "slurm" });
    const changed = pod(1, { wants: "slurm" });
    const uid = one.pod.metadata?.uid ?? "";
    expect((await create(address, changed)).code).toBe(200);
    expect([creates(slurm), creates(cloud)]).toEqual([0, 2]);
    expect((await status(address, changed)).jobs).toEqual(["cloud"]);
    expect((await logs(address, uid)).body).toBe("cloud");
    expect((await logs(address, uid, "/plugins/slurm")).body).toBe("cloud");
    expect((await send(address, "DELETE", "/delete", JSON.stringify(changed.pod))).code).toBe(200);
    expect(cloud.asked("/delete")).toHaveLength(1);
    // Its end is still asked for there.
    expect((await status(address, changed)).jobs).toEqual(["cloud"]);
  });

  test("that is not configured any more: told at the start, and instead of every answer, never to another plugin", async () => {
    const one = pod(1, { wants: "cloud" });
    const other = pod(2);
    const before = await start();
    await create(before, one);
    await create(before, other);
    await open.pop()?.close();

    const address = await start({ plugins: { slurm: { address: slurm.address } } });
    expect(lines.join("")).toMatch(/"plugin":"cloud","pods":1.*not configured any more/);
    const asked = slurm.requests.length;
    for (const answer of [
      await status(address, one),
      await logs(address, one.pod.metadata?.uid),
      await send(address, "DELETE", "/delete", JSON.stringify(one.pod)),
      await create(address, one),
    ]) {
      expect(answer).toMatchObject({
        code: 503,
        body: expect.stringContaining("the plugin cloud"),
      });
    }
    expect(slurm.requests.slice(asked).filter(({ path }) => path !== "/capabilities")).toEqual([]);
    expect((await status(address, other)).jobs).toEqual(["slurm"]);
  });

  test("also when the file ends in half a line, and without what was deleted long ago", async () => {
    const file = join(directory, "placements");
    const uid = (number: number) => pod(number).pod.metadata?.uid;
    const long = Date.now() - 48 * 60 * 60_000;
    await writeFile(
      file,
      `{"uid":"${uid(1)}","plugin":"cloud"}\n{"uid":"${uid(2)}","plugin":"cloud","deletedAt":${long}}\nnonsense\n{"uid":"${uid(3)}","plu`,
    );
    const address = await start();
    expect((await status(address, pod(1))).jobs).toEqual(["cloud"]);
    expect((await status(address, pod(3))).jobs).toEqual(["slurm"]);
    expect(await readFile(file, "utf8")).toBe(`{"uid":"${uid(1)}","plugin":"cloud"}\n`);
  });
});

describe("one plugin that hangs", () => {
  /** Never answers this path, and says when it was asked. */
  const hang = (plugin: FakePlugin, path: string) => plugin.on(path, () => undefined);

  test("does not hold up creates, statuses, logs and deletes of the other's pods", async () => {
    const address = await start({ limits: { requests: 10, closeMs: 50 } });
    const fast = pod(1);
    const stuck = pod(2, { wants: "cloud" });
    await create(address, fast);
    await create(address, stuck);
    for (const path of ["/create", "/status", "/delete", "/getLogs"]) hang(cloud, path);
    const hanging = [create(address, pod(3, { wants: "cloud" })), status(address, stuck)].map(
      (call) => call.catch(() => undefined),
    );
    await cloud.askedTimes("/create", 2);
    await cloud.askedTimes("/status", 1);

    expect((await create(address, pod(4))).code).toBe(200);
    expect((await status(address, fast)).jobs).toEqual(["slurm"]);
    hang(cloud, "/capabilities");
    const { body } = fixture("log-request-tail-zero");
    const tail = { ...(JSON.parse(body) as object), PodUID: fast.pod.metadata?.uid };
    expect((await send(address, "GET", "/getLogs", JSON.stringify(tail))).body).toBe("slurm");
    expect((await send(address, "DELETE", "/delete", JSON.stringify(fast.pod))).code).toBe(200);
    await open.pop()?.close();
    await Promise.all(hanging);
  });

  test("may have only its share of the calls", async () => {
    const address = await start({ limits: { requests: 7, closeMs: 50 } });
    hang(cloud, "/create");
    const hanging = [1, 2, 3].map((number) =>
      create(address, pod(number, { wants: "cloud" })).catch(() => undefined),
    );
    await cloud.askedTimes("/create", 3);
    expect(await create(address, pod(4, { wants: "cloud" }))).toMatchObject({
      code: 503,
      body: expect.stringContaining("the plugin cloud has 3 calls open already"),
    });
    expect((await create(address, pod(5))).code).toBe(200);
    await open.pop()?.close();
    await Promise.all(hanging);
  });

  test("fails a list with pods of both, so that the node asks one by one; then it is told at once as slow", async () => {
    const address = await start({ limits: { closeMs: 50 } });
    const fast = pod(1);
    const stuck = pod(2, { wants: "cloud" });
    await create(address, fast);
    await create(address, stuck);
    hang(cloud, "/status");
    const mixed = await status(address, fast, stuck);
    expect(mixed).toMatchObject({
      code: 503,
      body: expect.stringContaining("the plugin cloud has not answered a status question"),
    });
    expect((await status(address, stuck)).code).toBe(503);
    expect((await status(address, fast)).jobs).toEqual(["slurm"]);
  });
});

describe("ping", () => {
  const says = (plugin: FakePlugin, resources: object) =>
    plugin.says("/status", JSON.stringify({ status: "ok", resources }));

  test("tells what all have together, and each apart; a plugin that is away is told, and the node stays ready", async () => {
    const address = await start();
    says(slurm, {
      cpu: "1500m",
      memory: "1Gi",
      pods: "10",
      accelerators: [{ resourceType: "nvidia.com/gpu", available: "2" }],
    });
    says(cloud, {
      cpu: "2",
      memory: "1024",
      accelerators: [{ resourceType: "nvidia.com/gpu", available: "1" }],
    });
    const ping = async (path = "") => {
      const answer = await send(address, "POST", `${path}/pinglink`);
      return {
        code: answer.code,
        said: answer.code === 200 ? (JSON.parse(answer.body) as object) : answer.body,
      };
    };
    expect((await ping()).said).toEqual({
      status: "ok",
      resources: {
        cpu: "3500m",
        memory: "1073742848",
        accelerators: [{ resourceType: "nvidia.com/gpu", available: "3" }],
      },
      plugins: {
        slurm: { status: "ok", resources: expect.objectContaining({ cpu: "1500m", pods: "10" }) },
        cloud: { status: "ok", resources: expect.objectContaining({ cpu: "2" }) },
      },
    });
    expect((await ping("/plugins/cloud")).said).toMatchObject({ resources: { cpu: "2" } });

    cloud.says("/status", "no more", 500);
    expect((await ping()).said).toMatchObject({
      status: "degraded",
      resources: { cpu: "1500m" },
      plugins: { cloud: { status: "error", message: "no more" } },
    });
    expect((await ping("/plugins/cloud")).code).toBe(500);
    slurm.says("/status", "neither", 500);
    expect(await ping()).toMatchObject({
      code: 503,
      said: "no plugin answers: slurm: neither; cloud: no more",
    });
  });

  test("metrics tell each plugin's health and pods", async () => {
    const address = await start({ registry: new Registry() });
    await create(address, pod(1));
    await create(address, pod(2));
    await create(address, pod(3, { wants: "cloud" }));
    await cloud[Symbol.asyncDispose]();
    await create(address, pod(4, { wants: "cloud" }));
    const { body } = await send(address, "GET", "/metrics");
    expect(body).toContain('interlink_server_plugin_up{plugin="slurm"} 1');
    expect(body).toContain('interlink_server_plugin_up{plugin="cloud"} 0');
    expect(body).toContain('interlink_server_plugin_pods{plugin="slurm"} 2');
  });
});

describe("what is offered", () => {
  const offering = (...features: string[]) =>
    JSON.stringify({ protocol: "interlink", version: "1.0", agent: "a", features });

  test("by a plugin's path what that offers, by no path what all offer", async () => {
    slurm.says("/capabilities", offering("status-stream", "log-options", "exec"));
    cloud.says("/capabilities", offering("status-stream", "log-options"));
    const address = await start();
    const features = async (path: string) =>
      (
        JSON.parse((await send(address, "GET", `${path}/capabilities`)).body) as {
          features: string[];
        }
      ).features;
    expect(await features("")).toEqual(["status-stream", "log-options"]);
    expect(await features("/plugins/slurm")).toEqual(["status-stream", "log-options", "exec"]);
    slurm.says("/status/stream", '{"type":"synced","at":"2026-01-01T00:00:00Z"}\n');
    const stream = await send(address, "GET", "/plugins/slurm/status/stream");
    expect(stream).toMatchObject({
      code: 200,
      body: '{"type":"synced","at":"2026-01-01T00:00:00Z"}\n',
    });
  });

  test("by no path the status streams of all as one; a plugin that is away is no part of what is offered", async () => {
    const record = (uid: string) =>
      `${JSON.stringify({
        type: "status",
        status: { UID: uid, name: "p", namespace: "n", JID: "1", containers: [] },
      })}\n`;
    for (const [plugin, uid] of [
      [slurm, "s"],
      [cloud, "c"],
    ] as const) {
      plugin.says("/capabilities", offering("status-stream", "log-options"));
      plugin.on("/status/stream", (_, response) => {
        response.write(`${record(uid)}{"type":"synced","at":"2026-01-01T00:00:00Z"}\n`);
      });
    }
    const address = await start();
    await using client = createInterlinkClient({ address, peer: "server" });
    const types: string[] = [];
    for await (const one of client.statusStream()) {
      types.push(one.type);
      if (one.type === "synced") break;
    }
    expect(types).toEqual(["status", "status", "synced"]);
    await cloud[Symbol.asyncDispose]();
    // The broken stream has the plugin asked anew.
    const readToTheEnd = async () => {
      for await (const { type } of client.statusStream()) types.push(type);
    };
    await expect(readToTheEnd()).rejects.toThrow();
    await expect
      .poll(() => client.capabilities(), { timeout: 30_000 })
      .toMatchObject({
        features: [],
      });
  }, 60_000);

  test("by no path what the pods of all use, without a plugin that does not say", async () => {
    const used = (uid: string) =>
      JSON.stringify({
        node: { cpu: { time: "2026-01-01T00:00:00Z", usageNanoCores: 1 } },
        pods: [
          {
            podRef: { name: "p", namespace: "n", uid },
            startTime: "2026-01-01T00:00:00Z",
            containers: [],
          },
        ],
      });
    for (const plugin of [slurm, cloud]) plugin.says("/capabilities", offering("stats"));
    slurm.says("/stats", used("s"));
    cloud.says("/stats", used("c"));
    const address = await start();
    const podsOf = async () => {
      const { code, body } = await send(address, "GET", "/stats");
      const { pods, node } = JSON.parse(body) as StatsAnswer;
      return { code, uids: pods.map(({ podRef }) => podRef.uid), node };
    };
    expect(await podsOf()).toEqual({ code: 200, uids: ["s", "c"], node: undefined });
    // A pod is told of by the plugin that has it.
    const one = pod(1, { wants: "slurm" });
    await create(address, one);
    cloud.says("/stats", used(one.pod.metadata?.uid ?? ""));
    expect((await podsOf()).uids).toEqual(["s"]);
    cloud.says("/stats", "busy", 503);
    expect((await podsOf()).uids).toEqual(["s"]);
  });
});
