import { paths } from "@interlink/kube";
import { FEATURES } from "@interlink/protocol";
import type { ConfigMap, Pod, PodSpec } from "kubernetes-types/core/v1.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createObjectReader } from "../resolve/object-reader.ts";
import { DEFAULT_TOKEN_TIMING } from "../resolve/pod-tokens.ts";
import { PodWorld, QUICK_TIMING } from "../testing/pod-world.ts";
import { container } from "../testing/pods.ts";

let world: PodWorld;
beforeEach(async () => {
  world = await PodWorld.start();
  world.site.capabilities = {
    protocol: "interlink",
    version: "1.0",
    agent: "fake",
    features: [...FEATURES],
  };
});
afterEach(() => world[Symbol.asyncDispose]());

const until = (probe: () => unknown) => expect.poll(probe).toBeTruthy();
const timing = { ...QUICK_TIMING, updateSettleMs: 5, updateRetry: QUICK_TIMING.siteRetry };
const node = () => world.node({ timing });

function configMap(name: string, data: Record<string, string>, over: Partial<ConfigMap> = {}) {
  const path = paths.configMaps.named("default", name);
  const metadata = { name, namespace: "default", ...over.metadata };
  const object: ConfigMap = { ...over, data, metadata };
  world.api.put(path, object);
}

const CM: Partial<PodSpec> = {
  volumes: [{ name: "v", configMap: { name: "cm", optional: true } }],
};

/** A pod that runs at the site. */
async function runs(spec: Partial<PodSpec>, metadata: Pod["metadata"] = {}): Promise<void> {
  world.put(spec, { metadata: { name: "p", namespace: "default", uid: "uid-1", ...metadata } });
  await until(() => world.site.jobs.get("uid-1"));
  world.site.run("uid-1");
  await until(() => world.pod()?.status?.phase === "Running");
}

const data = () => world.site.updates.at(-1)?.configmaps[0]?.data;
const reads = (name: string) =>
  world.api.requests.filter(
    ({ method, path, query }) =>
      method === "GET" && !query.has("watch") && path.endsWith(`/configmaps/${name}`),
  ).length;
const watchesOf = (name: string) =>
  world.api.requests.filter(
    ({ query }) => query.has("watch") && query.get("fieldSelector") === `metadata.name=${name}`,
  ).length;

describe("a ConfigMap of a running pod", () => {
  test("is sent when its content changes, and not for anything else", async () => {
    configMap("cm", { a: "1" });
    await node();
    await runs(CM);
    await until(() => watchesOf("cm") > 0);
    const before = reads("cm");
    configMap("cm", { a: "1" }, { metadata: { labels: { only: "a label" } } });
    await until(() => reads("cm") > before);
    configMap("cm", { a: "2" });
    await until(() => data()?.["a"] === "2");
    expect(world.site.updates).toHaveLength(1);
    expect(world.site.started.get("uid-1")).toBe(1);
  });

  test("that is optional and vanishes leaves the volume empty", async () => {
    configMap("cm", { a: "1" });
    await node();
    await runs(CM);
    world.api.remove(paths.configMaps.named("default", "cm"));
    await until(() => world.site.updates.length === 1);
    expect(world.site.updates[0]?.configmaps).toEqual([]);
  });

  test("that is needed and vanishes is told as an event, and what is there stays", async () => {
    configMap("cm", { a: "1" });
    await node();
    await runs({ volumes: [{ name: "v", configMap: { name: "cm" } }] });
    world.api.remove(paths.configMaps.named("default", "cm"));
    await until(() =>
      world.events.includes(
        'Warning FailedMount MountVolume.SetUp failed for volume "v" : configmap "cm" not found',
      ),
    );
    expect(world.site.updates).toEqual([]);
    expect(world.pod()?.status?.phase).toBe("Running");
    configMap("cm", { a: "3" });
    await until(() => data()?.["a"] === "3");
  });

  test("that is immutable is not watched", async () => {
    configMap("cm", { a: "1" }, { immutable: true });
    configMap("other", { b: "1" });
    await node();
    const volumes = ["cm", "other"].map((name) => ({ name, configMap: { name } }));
    await runs({ volumes });
    await until(() => watchesOf("other") > 0);
    expect(watchesOf("cm")).toBe(0);
  });

  test("is watched once for all pods that name it", async () => {
    configMap("cm", { a: "1" });
    await node();
    world.put(CM, { metadata: { name: "q", namespace: "default", uid: "uid-q" } });
    await runs(CM);
    await until(() => world.site.jobs.get("uid-q"));
    world.site.run("uid-q");
    await until(() => watchesOf("cm") > 0);
    configMap("cm", { a: "2" });
    await until(() => world.site.updates.length === 2);
    expect(watchesOf("cm")).toBe(1);
  });

  test("that only an environment names reaches containers that start later; a missing one holds up nothing else", async () => {
    configMap("cm", { a: "1" });
    configMap("env", { k: "1" });
    await node();
    await runs({
      ...CM,
      containers: [container("main", { envFrom: [{ configMapRef: { name: "env" } }] })],
    });
    configMap("env", { k: "2" });
    const env = () => world.site.updates.at(-1)?.pod.spec?.containers[0];
    await until(() => env()?.env?.some(({ name, value }) => name === "k" && value === "2"));
    world.api.remove(paths.configMaps.named("default", "env"));
    await until(() => env()?.envFrom?.length === 1);
    expect(env()?.env).toBeUndefined();
    configMap("cm", { a: "2" });
    await until(() => data()?.["a"] === "2");
  });
});

describe("labels and annotations", () => {
  const shown: Partial<PodSpec> = {
    volumes: [
      {
        name: "v",
        downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] },
      },
    ],
  };
  const relabel = (labels: Record<string, string>) => {
    const pod = world.pod();
    world.api.put(paths.pods.named("default", "p"), {
      ...pod,
      metadata: { ...pod?.metadata, labels },
    });
  };

  test("that a volume shows are sent when they change", async () => {
    await node();
    await runs(shown, { labels: { a: "1" } });
    relabel({ a: "2" });
    await until(
      () => world.site.updates.at(-1)?.projectedvolumesmaps[0]?.data?.["labels"] === 'a="2"',
    );
  });

  test("that nothing shows cost no question", async () => {
    configMap("cm", { a: "1" });
    await node();
    await runs(CM);
    await until(() => watchesOf("cm") > 0);
    relabel({ a: "2" });
    configMap("cm", { a: "2" });
    await until(() => world.site.updates.length === 1);
    // Once for the create, once for the change of the ConfigMap.
    expect(reads("cm")).toBe(2);
  });
});

describe("when the site does not take it", () => {
  test("it is tried again until it does", async () => {
    configMap("cm", { a: "1" });
    await node();
    await runs(CM);
    world.site.fail("update", "unreachable");
    world.site.fail("update", { httpStatus: 500, message: "no" });
    configMap("cm", { a: "2" });
    await until(() => data()?.["a"] === "2");
  });

  test("because it never takes updates, nothing is watched and nothing is sent", async () => {
    world.site.capabilities = { ...world.site.capabilities!, features: ["status-stream"] };
    configMap("cm", { a: "1" });
    await node();
    await runs(CM);
    configMap("cm", { a: "2" });
    world.delete();
    await until(() => world.pod() === undefined);
    expect([watchesOf("cm"), world.site.updates.length]).toEqual([0, 0]);
  });
});

describe("a node that is started anew", () => {
  test("sends nothing when the site has what is there, and the difference when not", async () => {
    configMap("cm", { a: "1" });
    configMap("same", { a: "1" });
    const first = await node();
    await runs(CM);
    await first[Symbol.asyncDispose]();
    const second = await node();
    await until(() => watchesOf("cm") > 1);
    await second[Symbol.asyncDispose]();
    expect(world.site.updates).toEqual([]);
    configMap("cm", { a: "2" });
    await node();
    await until(() => data()?.["a"] === "2");
    expect(world.site.updates).toHaveLength(1);
  });
});

describe("a pod that ends", () => {
  test.each([
    ["is deleted", () => world.delete()],
    ["succeeds", () => world.site.end("uid-1", 0)],
  ])("because it %s gets no updates any more", async (_how, end) => {
    world.site.endsAtOnce = false;
    configMap("cm", { a: "1" });
    await node();
    await runs({ ...CM, restartPolicy: "Never" });
    await until(() => watchesOf("cm") > 0);
    end();
    await until(
      () => world.pod()?.metadata?.deletionTimestamp || world.pod()?.status?.phase === "Succeeded",
    );
    configMap("cm", { a: "2" });
    configMap("probe", { a: "1" });
    world.put(
      { volumes: [{ name: "v", configMap: { name: "probe" } }] },
      { metadata: { name: "q", namespace: "default", uid: "uid-q" } },
    );
    await until(() => world.site.jobs.get("uid-q"));
    world.site.run("uid-q");
    configMap("probe", { a: "2" });
    await until(() => world.site.updates.length > 0);
    expect(world.site.updates.map(({ pod }) => pod.metadata?.uid)).toEqual(["uid-q"]);
  });
});

describe("an ephemeral container", () => {
  const debug = { name: "debug", image: "tools" };
  const sent = () => world.site.updates.at(-1)?.pod.spec?.ephemeralContainers;
  const add = (): void => {
    const pod = world.pod();
    const edited: Pod = {
      ...pod,
      spec: { containers: [], ...pod?.spec, ephemeralContainers: [debug] },
    };
    world.api.put(paths.pods.named("default", "p"), edited);
  };

  test("of a running pod is sent to the site", async () => {
    await node();
    await runs({});
    add();
    await until(() => sent()?.[0]?.name === "debug");
    expect(world.site.updates).toHaveLength(1);
    expect(world.events.filter((event) => event.includes("ephemeral"))).toEqual([]);
  });

  test("that comes while the create is under way is sent after it", async () => {
    let answer = (): void => undefined;
    world.site.holdCreate = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await node();
    world.put({}, { metadata: { name: "p", namespace: "default", uid: "uid-1" } });
    await until(() => world.site.jobs.get("uid-1"));
    add();
    answer();
    world.site.run("uid-1");
    await until(() => sent()?.[0]?.name === "debug");
  });

  test("that the site does not run is answered by its status and an event, and not sent", async () => {
    world.site.capabilities = {
      protocol: "interlink",
      version: "1.0",
      agent: "fake",
      features: FEATURES.filter((feature) => feature !== "ephemeral-containers"),
    };
    await node();
    await runs({});
    add();
    const message = "ephemeral containers are not supported by this site";
    const event = `Warning Failed Error: ${message} [spec.ephemeralContainers{debug}]`;
    await until(() => world.events.includes(event));
    await until(
      () =>
        world.pod()?.status?.ephemeralContainerStatuses?.[0]?.state?.waiting?.message === message,
    );
    expect(world.site.updates).toEqual([]);
  });
});

describe("a service account token", () => {
  const withToken: Partial<PodSpec> = {
    serviceAccountName: "robot",
    volumes: [
      {
        name: "api",
        projected: {
          sources: [{ serviceAccountToken: { path: "token", expirationSeconds: 600 } }],
        },
      },
    ],
  };
  const requests: unknown[] = [];
  const token = () => world.site.updates.at(-1)?.projectedvolumesmaps[0]?.data?.["token"];

  beforeEach(() => {
    requests.length = 0;
    const path = "/api/v1/namespaces/default/serviceaccounts/robot/token";
    world.api.answer(path, (body) => {
      requests.push(body);
      return { ...(body as object), status: { token: `token-${requests.length}` } };
    });
  });

  const impatient = (renewAfter: number) =>
    world.node({
      timing,
      reader: createObjectReader({
        client: world.client,
        now: () => performance.now(),
        tokens: { ...DEFAULT_TOKEN_TIMING, renewAfter, jitterMs: 0, retryMs: 1 },
      }),
    });

  test("is exchanged before it expires, and the new one is sent", async () => {
    await impatient(0.0001);
    await runs(withToken);
    await until(() => token() === "token-2" || token() === "token-3");
  });

  test("that cannot be renewed serves on", async () => {
    await impatient(0.0001);
    const isToken = ({ path }: { path: string }) => path.endsWith("/token");
    world.put(withToken);
    await until(() => requests.length === 1);
    world.api.inject(isToken, { kind: "status", code: 403, message: "not yet" }, 3);
    await until(() => world.site.jobs.get("uid-1"));
    world.site.run("uid-1");
    await until(() => world.site.updates.length > 0);
    expect(token()).toBe(`token-${requests.length}`);
    expect(world.events.filter((event) => event.includes("FailedMount"))).toEqual([]);
  });

  test("is not asked for again by a node that is started anew before it is due", async () => {
    const first = await impatient(0.8);
    await runs(withToken);
    await first[Symbol.asyncDispose]();
    configMap("cm", { a: "1" });
    await impatient(0.8);
    world.put(CM, { metadata: { name: "q", namespace: "default", uid: "uid-q" } });
    await until(() => world.site.jobs.get("uid-q"));
    world.site.run("uid-q");
    configMap("cm", { a: "2" });
    await until(() => data()?.["a"] === "2");
    expect(requests).toHaveLength(1);
  });

  test("is refused right after the pod was bound: it waits and then starts", async () => {
    world.api.inject(({ path }) => path.endsWith("/token"), {
      kind: "status",
      code: 403,
      reason: "Forbidden",
      message: "no relationship found",
    });
    await world.node({ timing: { ...timing, objectRetry: timing.siteRetry } });
    await runs(withToken);
    expect(world.events.some((event) => /FailedMount.*failed to fetch token/.test(event))).toBe(
      true,
    );
  });
});
