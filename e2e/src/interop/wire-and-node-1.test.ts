import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { type LogRequest, ProtocolError } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ExistingNode } from "./peers/existing-node.ts";
import { KubernetesLike, SdkLike } from "./peers/existing-plugins.ts";
import { ExistingServer } from "./peers/existing-server.ts";
import { another, createBody, fixture, pod, uid } from "./peers/fixtures.ts";
import { type GoRequest, GoServer, goCall } from "./peers/go-http.ts";
import { OurNode, OurPlugin, ourServer } from "./peers/ours.ts";

// Section 1 of the reference (wire and node), heading by heading: what the existing peers send, and that ours take it and
// send the same. To be walked against the reference one by one.

/** A plugin that answers one thing, and notes what it was asked. */
class Says extends GoServer {
  code = 200;
  body = "";
  type: string | undefined;

  protected answer(request: GoRequest, response: ServerResponse): void {
    // It has nothing but the base protocol.
    const base = ["/create", "/delete", "/status", "/getLogs"].includes(request.path);
    response.writeHead(
      base ? this.code : 404,
      this.type === undefined ? {} : { "Content-Type": this.type },
    );
    response.end(base ? this.body : "404 page not found\n");
  }
}

let plugin: Says;
let server: Awaited<ReturnType<typeof ourServer>>;
let node: ExistingNode;
beforeEach(async () => {
  plugin = await new Says().listen();
  server = await ourServer(plugin.address);
  node = new ExistingNode(server.address);
});
afterEach(async () => {
  await server.close();
  await plugin[Symbol.asyncDispose]();
});

const base = (path: string) => plugin.asked(path);
const logBody = fixture("log-request").body.replace('"Follow":true', '"Follow":false');
const createdBody = `{"PodUID":"${uid}","PodJID":"17"}`;
const told = (extra: object = {}) => ({
  name: "hello",
  UID: uid,
  namespace: "default",
  JID: "17",
  containers: [{ name: "main", state: { running: { startedAt: "2026-01-05T10:00:00Z" } } }],
  ...extra,
});

describe("1.1 endpoint matrix", () => {
  test("create: POST with one object, to the plugin POST with one object, back one object", async () => {
    plugin.body = createdBody;
    expect(await node.create(createBody)).toEqual({ phase: "Pending", reason: "", jobId: "17" });
    expect(base("/create")).toMatchObject([
      { method: "POST", body: fixture("plugin-create-volumes").body },
    ]);
  });

  test("delete: DELETE with one pod, to the plugin POST with the same bytes, the answer's content is nothing to the node", async () => {
    plugin.body = "anything";
    expect((await node.delete(pod)).code).toBe(200);
    expect(base("/delete")).toMatchObject([{ method: "POST", body: JSON.stringify(pod) }]);
  });

  test("status: GET with a list of one pod in the body, on both hops, back a list", async () => {
    plugin.body = JSON.stringify([told()]);
    expect((await node.status(pod))?.phase).toBe("Running");
    expect(base("/status")).toMatchObject([{ method: "GET", body: JSON.stringify([pod]) }]);
  });

  test("logs: GET with one object in the body, on both hops, back raw bytes", async () => {
    plugin.body = "raw\n\u0000bytes";
    expect(await node.logs(pod, "main")).toMatchObject({ code: 200, body: "raw\n\u0000bytes" });
    expect(base("/getLogs")).toMatchObject([{ method: "GET", body: logBody }]);
  });

  test("ping: POST without a body, to the plugin GET /status with [], the body handed on verbatim", async () => {
    plugin.body = '{ "status" : "ok" }\n';
    const { ready, answer } = await node.ping();
    expect({ ready, body: answer.body }).toEqual({ ready: true, body: '{ "status" : "ok" }\n' });
    expect(base("/status")).toMatchObject([{ method: "GET", body: "[]" }]);
  });

  test("cache drop: a bare UID, and the pod that the node would send, answered Updated cache, nothing to the plugin", async () => {
    const bare = await goCall(server.address, "POST", "/updateCache", uid);
    expect(bare).toMatchObject({ code: 200, body: "Updated cache" });
    expect(await node.updateCache(pod)).toMatchObject({ code: 200, body: "Updated cache" });
    expect(plugin.requests).toEqual([]);
  });

  test.each(["GET", "POST", "PUT", "PATCH", "DELETE"])(
    "any method works on any path: %s",
    async (method) => {
      const call = (path: string, body: string) => goCall(server.address, method, path, body);
      plugin.body = createdBody;
      expect((await call("/create", createBody)).code).toBe(200);
      expect((await call("/delete", JSON.stringify(pod))).code).toBe(200);
      expect((await call("/getLogs", fixture("log-request").body)).code).toBe(200);
      expect((await call("/pinglink", "")).code).toBe(200);
      expect((await call("/updateCache", uid)).code).toBe(200);
      plugin.body = "[]";
      expect((await call("/status", JSON.stringify([pod]))).code).toBe(200);
      expect((await call("/ping", "")).code).toBe(200);
      expect((await call("/setKubeCFG", "kubeconfig")).code).toBe(200);
    },
  );

  test.each(["GET", "POST", "PUT", "PATCH", "DELETE"])(
    "a plugin of ours takes every method too: %s",
    async (method) => {
      await using ours = await new OurPlugin().listen();
      const call = (path: string, body: string) => goCall(ours.address, method, path, body);
      expect((await call("/create", fixture("plugin-create").body)).code).toBe(200);
      expect((await call("/status", JSON.stringify([pod]))).code).toBe(200);
      expect((await call("/getLogs", fixture("log-request").body)).code).toBe(200);
      expect((await call("/delete", JSON.stringify(pod))).code).toBe(200);
    },
  );
});

describe("1.2 request headers", () => {
  test("Content-Type application/json is sent to plugins on every call, and wanted from nobody", async () => {
    plugin.body = createdBody;
    for (const type of ["application/json", "text/plain", "application/x-www-form-urlencoded"]) {
      const answer = await goCall(server.address, "POST", "/create", createBody, {
        "Content-Type": type,
      });
      expect(answer.code).toBe(200);
    }
    expect((await goCall(server.address, "POST", "/create", createBody)).code).toBe(200);
    plugin.body = "[]";
    await node.status(pod);
    await node.ping();
    await node.delete(pod);
    await node.logs(pod, "main");
    const types = plugin.requests
      .filter(({ path }) => path !== "/capabilities")
      .map(({ headers }) => headers["content-type"]);
    expect(new Set(types)).toEqual(new Set(["application/json"]));
  });

  test("Authorization is never forwarded, and an empty bearer of a ping is taken", async () => {
    plugin.body = createdBody;
    const withToken = new ExistingNode(server.address, "secret");
    await withToken.create(createBody);
    expect((await withToken.ping()).ready).toBe(true);
    expect((await new ExistingNode(server.address, "").ping()).ready).toBe(true);
    expect(plugin.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  test("InterLink-Http-Session goes with a request over both hops, that of a ping too", async () => {
    plugin.body = "[]";
    await node.ping();
    await node.status(pod);
    await node.logs(pod, "main");
    expect(
      plugin.requests
        .filter(({ path }) => path !== "/capabilities")
        .map(({ headers }) => headers["interlink-http-session"]),
    ).toEqual([
      "PingInterLink#1",
      // Its questions are asked together with others', under an id of the server's own.
      expect.stringMatching(/^\S+$/),
      "GetLogs#3",
    ]);
  });

  test("without InterLink-Http-Session there is a new Request-<uuid>", async () => {
    plugin.body = createdBody;
    await goCall(server.address, "POST", "/create", createBody);
    expect(base("/create")[0]?.headers["interlink-http-session"]).toMatch(
      /^Request-[0-9a-f-]{36}$/,
    );
  });

  test("X-Forwarded-Email and X-Forwarded-User of a proxy are taken and not forwarded", async () => {
    plugin.body = createdBody;
    const headers = { "X-Forwarded-Email": "a@b", "X-Forwarded-User": "a" };
    expect((await goCall(server.address, "POST", "/create", createBody, headers)).code).toBe(200);
    expect(Object.keys(base("/create")[0]?.headers ?? {}).join()).not.toContain("forwarded");
  });

  test("Accept-Encoding gzip is offered by Go's client, and answers come plain", async () => {
    plugin.body = JSON.stringify([told()]);
    const answer = await goCall(server.address, "GET", "/status", JSON.stringify([pod]));
    expect(answer.headers["content-encoding"]).toBeUndefined();
  });
});

describe("1.3 response headers", () => {
  test("our node takes answers without a content type, chunked or with a length", async () => {
    await using existing = await new ExistingServer(plugin.address).listen();
    await using ours = new OurNode(existing.address);
    plugin.body = createdBody;
    expect((await ours.create(createBody)).jobId).toBe("17");
    plugin.body = JSON.stringify([told()]);
    expect((await ours.status(pod))?.phase).toBe("Running");
  });

  test("our server takes plugins that label JSON as text or HTML, or not at all", async () => {
    for (const type of ["text/plain; charset=utf-8", "text/html", undefined]) {
      plugin.type = type;
      plugin.body = createdBody;
      expect((await node.create(createBody)).jobId).toBe("17");
      plugin.body = JSON.stringify([told()]);
      expect((await node.status(pod))?.phase).toBe("Running");
    }
  });
});

describe("1.4 JSON shapes", () => {
  const reading = async (body: unknown) => {
    plugin.body = typeof body === "string" ? body : JSON.stringify(body);
    return goCall(server.address, "GET", "/status", JSON.stringify([pod]));
  };

  test("names of a plugin's fields are read in any letter case", async () => {
    const { UID, ...rest } = told();
    expect(JSON.parse((await reading([{ uid: UID, ...rest }])).body)).toMatchObject([{ UID: uid }]);
    plugin.body = `{"podUID":"${uid}","podjid":"9"}`;
    expect((await node.create(createBody)).jobId).toBe("9");
  });

  test("unknown fields are skipped and not passed on", async () => {
    const answer = await reading([told({ surprise: { a: 1 } })]);
    expect(answer.code).toBe(200);
    expect(answer.body).not.toContain("surprise");
  });

  test("a missing list, null and [] are the same; to the node goes null", async () => {
    for (const initContainers of [undefined, null, []]) {
      const [status] = JSON.parse((await reading([told({ initContainers })])).body) as {
        initContainers: unknown;
      }[];
      expect(status?.initContainers).toBeNull();
    }
  });

  test("a zero metav1.Time is null; null times of a plugin are taken", async () => {
    const state = { terminated: { exitCode: 2, startedAt: null, finishedAt: null } };
    const [status] = JSON.parse(
      (await reading([told({ containers: [{ name: "main", state }] })])).body,
    ) as [{ containers: { state: { terminated: object } }[] }];
    expect(status.containers[0]?.state.terminated).toMatchObject({ exitCode: 2 });
  });

  test("null states beside the one that counts are no states", async () => {
    const state = {
      terminated: null,
      waiting: null,
      running: { startedAt: "2026-01-05T10:00:00Z" },
    };
    await reading([told({ containers: [{ name: "main", state }] })]);
    const status = await node.status(pod);
    expect(status?.status.containers?.[0]?.state).toEqual({
      running: { startedAt: "2026-01-05T10:00:00Z" },
    });
  });

  test("PodCreateRequests: projectedvolumesmaps in the plural, null lists, jobscriptURL always there", async () => {
    await using ours = new OurNode(server.address);
    plugin.body = createdBody;
    await ours.create(createBody);
    expect(base("/create").at(-1)?.body).toContain('"projectedvolumemaps":[{');
    expect((await node.create(fixture("create-request-nil-slices").body)).phase).toBe("Pending");
    expect(JSON.parse(createBody)).toHaveProperty("jobscriptURL", "");
  });

  test("PodCreateRequests: our node writes what the existing one writes, byte for byte", async () => {
    const bare = await new Says().listen();
    await using ours = new OurNode(bare.address);
    bare.body = createdBody;
    // The capturing server has no path but the plugin's; they are the same.
    await ours.create(createBody);
    expect(bare.asked("/create")[0]?.body).toBe(createBody);
    await bare[Symbol.asyncDispose]();
  });

  test("RetrievedPodData: container in the singular, init containers first, emptyDirs null, jobConfig always, no empty jobScript", async () => {
    plugin.body = createdBody;
    const request = JSON.parse(createBody) as { pod: Pod };
    (request.pod.spec as { initContainers: unknown }).initContainers = [
      { name: "first", image: "i" },
    ];
    await node.create(JSON.stringify(request));
    const body = base("/create")[0]?.body ?? "";
    const data = JSON.parse(body) as Record<string, unknown>;
    expect(Object.keys(data)).toEqual(["pod", "container", "jobConfig"]);
    expect(data["container"]).toMatchObject([{ name: "first", emptyDirs: null }, { name: "main" }]);
    expect(body).toContain(
      '"jobConfig":{"SingularityHubProxy":{"server":"","master_token":"","cache_validity_seconds":0}',
    );
    expect(body).toContain('"additional_directories_in_path":null');
  });

  test("RetrievedPodData: an existing server's, with one entry per mount, reaches our plugins whole", async () => {
    await using ours = await new OurPlugin().listen();
    await using existing = await new ExistingServer(ours.address).listen();
    const request = JSON.parse(createBody) as { pod: Pod };
    const [container] = request.pod.spec?.containers ?? [];
    container?.volumeMounts?.push({ name: "cfg", mountPath: "/twice" });
    await new ExistingNode(existing.address).create(JSON.stringify(request));
    const [data] = ours.job(uid).data.container;
    expect(data?.configMaps.map(({ metadata }) => metadata?.name)).toEqual([
      "settings",
      "settings",
    ]);
    expect(data?.secrets[0]?.data).toEqual({ token: "czNjcjN0" });
    expect(data?.projectedvolumemaps[0]?.metadata?.name).toBe("kube-api-access-x7k2p");
  });

  test("v1.Pod: a variable without a value, and no kind, arrive as they were", async () => {
    plugin.body = createdBody;
    await node.create(createBody);
    const { pod: sent } = JSON.parse(base("/create")[0]?.body ?? "") as { pod: Pod };
    expect(sent).toEqual(pod);
    expect(sent.spec?.containers[0]?.env?.[0]).toEqual({ name: "EMPTY" });
    expect(sent).not.toHaveProperty("kind");
  });

  test.each([
    ["one object", createdBody, "17"],
    ["a number for the job id", `{"PodUID":"${uid}","PodJID":17}`, "17"],
    ["a list of one", `[${createdBody}]`, "17"],
    ["more fields", `{"PodUID":"${uid}","PodJID":"17","metadata":{"name":"x"}}`, "17"],
    ["nothing but {}", "{}", ""],
    ["null", "null", ""],
  ])(
    "CreateStruct: of a plugin's %s the node gets one object of two strings",
    async (_, body, jobId) => {
      plugin.body = body;
      expect(await node.create(createBody)).toEqual({ phase: "Pending", reason: "", jobId });
    },
  );

  test("PodStatus: exactly six keys in Go's order", async () => {
    const [status] = JSON.parse((await reading([told()])).body) as object[];
    expect(Object.keys(status ?? {})).toEqual([
      "name",
      "UID",
      "namespace",
      "JID",
      "containers",
      "initContainers",
    ]);
  });

  test("LogStruct: Bytes for the limit, zero and 0001-01-01 for not set, on both hops", async () => {
    await node.logs(pod, "main", { Bytes: 5 });
    expect(base("/getLogs")[0]?.body).toBe(logBody.replace('"Bytes":0', '"Bytes":5'));
    await using ours = new OurNode(server.address);
    await ours.logs(pod, "main");
    expect(base("/getLogs")[1]?.body).toBe(logBody);
  });

  test.each([
    "ping-answer",
    "ping-answer-empty",
    "ping-answer-list",
    "ping-answer-null",
    "ping-answer-text",
    "ping-answer-health",
    "ping-answer-numbers",
    "ping-answer-wrong-types",
  ])("PingResponse: %s makes the existing node ready, and ours", async (name) => {
    plugin.body = fixture(name).body;
    expect((await node.ping()).ready).toBe(true);
    await using ours = new OurNode(server.address);
    expect((await ours.ping()).ready).toBe(true);
  });
});

describe("1.5 POST /create", () => {
  test("a body that is no JSON is refused in words, and nothing reaches the plugin", async () => {
    const answer = await goCall(server.address, "POST", "/create", "{");
    expect(answer.code).toBe(400);
    expect(answer.body).not.toBe("");
    expect(base("/create")).toEqual([]);
  });

  test("jobscriptURL without a JobScriptBuildConfig is refused in words, not answered 200 without a body", async () => {
    const request = { ...(JSON.parse(createBody) as object), jobscriptURL: "http://builder" };
    const { phase, reason } = await node.create(JSON.stringify(request));
    expect(phase).toBe("Failed");
    expect(reason).toContain("JobScriptBuilderURL");
  });

  test("volumes that are not served are only in the pod", async () => {
    plugin.body = createdBody;
    const request = JSON.parse(createBody) as { pod: Pod };
    request.pod.spec?.volumes?.push({ name: "claim", persistentVolumeClaim: { claimName: "c" } });
    request.pod.spec?.containers[0]?.volumeMounts?.push({ name: "claim", mountPath: "/c" });
    expect((await node.create(JSON.stringify(request))).phase).toBe("Pending");
    expect(base("/create")[0]?.body).toContain('"persistentVolumeClaim":{"claimName":"c"}');
  });

  test("the job id is recorded only under the pod's own UID; a plugin that leaves the UID out gets it", async () => {
    plugin.body = '{"PodJID":"17"}';
    expect((await node.create(createBody)).jobId).toBe("17");
    plugin.body = '{"PodUID":"other","PodJID":"17"}';
    expect((await node.create(createBody)).jobId).toBeUndefined();
  });
});

describe("1.5 DELETE /delete", () => {
  test.each(["{", "null", "[]", '"x"', ""])(
    "the body %j is refused, and the server lives",
    async (body) => {
      expect((await goCall(server.address, "DELETE", "/delete", body)).code).toBe(400);
      expect((await node.ping()).ready).toBe(true);
    },
  );

  test("an existing server ends at one: our node tells it as unreachable, and sends none", async () => {
    await using existing = await new ExistingServer(plugin.address).listen();
    await goCall(existing.address, "DELETE", "/delete", "{").catch(() => undefined);
    expect(existing.ended).toBe(true);
    await using ours = new OurNode(existing.address);
    await expect(ours.delete(pod)).rejects.toMatchObject({ code: "unreachable" });
    await expect(ours.delete({ metadata: {} })).rejects.toBeInstanceOf(ProtocolError);
  });
});

describe("1.5 GET /status", () => {
  test("a question that is no JSON is refused, not answered with all pods", async () => {
    plugin.body = JSON.stringify([told()]);
    await node.status(pod);
    expect((await goCall(server.address, "GET", "/status", "{")).code).toBe(400);
  });

  test("an empty question has an empty answer, not all pods", async () => {
    plugin.body = JSON.stringify([told()]);
    await node.status(pod);
    for (const body of ["[]", "null"]) {
      expect(await goCall(server.address, "GET", "/status", body)).toMatchObject({
        code: 200,
        body: "[]",
      });
    }
  });

  test("[null] does no harm", async () => {
    expect((await goCall(server.address, "GET", "/status", "[null]")).code).toBe(400);
    plugin.body = JSON.stringify([told()]);
    expect((await node.status(pod))?.phase).toBe("Running");
  });

  test("a pod that the plugin leaves out is unknown, not what was heard of it before", async () => {
    plugin.body = JSON.stringify([told()]);
    expect((await node.status(pod))?.phase).toBe("Running");
    plugin.body = "null";
    expect(await node.status(pod)).toBeUndefined();
  });

  test("an existing server does answer from memory: our node takes that for what it is, the server's word", async () => {
    await using existing = await new ExistingServer(plugin.address).listen();
    await using ours = new OurNode(existing.address);
    plugin.body = JSON.stringify([told()]);
    await ours.status(pod);
    plugin.body = "[]";
    expect((await ours.status(pod))?.phase).toBe("Running");
  });

  test("bad JSON of a plugin is an error in words, not 200 without a body", async () => {
    plugin.body = "<html>";
    const answer = await goCall(server.address, "GET", "/status", JSON.stringify([pod]));
    expect(answer).toMatchObject({ code: 502, body: expect.stringContaining("not valid JSON") });
  });

  test("200 without a body, as an existing server answers then, is unknown to our node, not gone", async () => {
    await using existing = await new ExistingServer(plugin.address).listen();
    await using ours = new OurNode(existing.address);
    plugin.body = "<html>";
    await expect(ours.status(pod)).rejects.toMatchObject({ code: "bad-answer" });
  });
});

describe("1.5 GET /getLogs", () => {
  const asking = (extra: object, options: object = {}) => {
    const request = JSON.parse(fixture("log-request").body) as LogRequest;
    const body = { ...request, ...extra, Opts: { ...request.Opts, ...options } };
    return goCall(server.address, "GET", "/getLogs", JSON.stringify(body));
  };

  test.each([
    ["a namespace that is no DNS label", { Namespace: "Not_A_Label" }, {}],
    ["a UID that is none", { PodUID: "../../etc" }, {}],
    ["a container that is no DNS label", { ContainerName: "a/b" }, {}],
    ["a pod name with a way in it", { PodName: "../../x" }, {}],
    ["Tail and Bytes together", {}, { Tail: 1, Bytes: 1 }],
    [
      "SinceSeconds and SinceTime together",
      {},
      { SinceSeconds: 1, SinceTime: "2026-01-05T10:00:00Z" },
    ],
  ])("refused with 400: %s", async (_, extra, options) => {
    const answer = await asking(extra, options);
    expect(answer.code).toBe(400);
    expect(answer.body).not.toBe("");
    expect(base("/getLogs")).toEqual([]);
  });

  test("an empty container name is taken", async () => {
    plugin.body = "x";
    expect(await asking({ ContainerName: "" })).toMatchObject({ code: 200, body: "x" });
  });

  test("the plugin's refusal comes with its code and its words", async () => {
    plugin.code = 500;
    plugin.body = '{"detail":"ApiException: (400) <b>"}';
    expect(await asking({})).toMatchObject({ code: 500, body: "ApiException: (400) <b>" });
  });
});

describe("1.5 POST /pinglink", () => {
  test("a plugin that is away, or fails, makes the node not ready, with a status that says so", async () => {
    plugin.code = 503;
    plugin.body = "no proxy file";
    expect((await node.ping()).answer).toMatchObject({ code: 503, body: "no proxy file" });
    await plugin[Symbol.asyncDispose]();
    const { ready, answer } = await node.ping();
    expect({ ready, code: answer.code }).toEqual({ ready: false, code: 502 });
    expect(answer.body).not.toBe("");
  });

  test("a plugin of the Python SDK, which fails at [], makes neither node ready", async () => {
    await using sdk = await new SdkLike().listen();
    await using front = await ourServer(sdk.address);
    expect((await new ExistingNode(front.address).ping()).ready).toBe(false);
    await using ours = new OurNode(front.address);
    expect((await ours.ping()).ready).toBe(false);
  });

  test("our plugins answer [] with 200 and an object", async () => {
    await using ours = await new OurPlugin().listen();
    const answer = await goCall(ours.address, "GET", "/status", "[]");
    expect(answer.code).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ status: "ok" });
  });
});

describe("1.6 error wrapping", () => {
  test("our server hands on a plugin's words as they are", async () => {
    await using kubernetes = await new KubernetesLike().listen();
    await using front = await ourServer(kubernetes.address);
    const { reason } = await new ExistingNode(front.address).create(another("refused", 1).body);
    expect(reason).toBe(
      'error creating pod (HTTP 500): ApiException: (409) Reason: "Conflict" <pod>',
    );
  });

  test("our node takes the words out of what an existing server wraps around them", async () => {
    await using kubernetes = await new KubernetesLike().listen();
    await using existing = await new ExistingServer(kubernetes.address).listen();
    await using ours = new OurNode(existing.address);
    const { reason } = await ours.create(another("refused", 1).body);
    expect(reason).toBe('ApiException: (409) Reason: "Conflict" <pod>');
  });

  test.each([200, 201, 202, 204])(
    "a plugin's %i is a success for our server, and 200 for the node",
    async (code) => {
      plugin.code = code;
      plugin.body = code === 204 ? "" : createdBody;
      expect((await node.delete(pod)).code).toBe(200);
      if (code !== 204) expect((await node.create(createBody)).jobId).toBe("17");
    },
  );

  test.each([201, 202])(
    "a plugin's %i behind an existing server is a success for our node",
    async (code) => {
      await using existing = await new ExistingServer(plugin.address).listen();
      await using ours = new OurNode(existing.address);
      plugin.code = code;
      plugin.body = createdBody;
      expect((await ours.create(createBody)).jobId).toBe("17");
      plugin.body = JSON.stringify([told()]);
      expect((await ours.status(pod))?.phase).toBe("Running");
    },
  );

  test("a plugin that cannot be reached: 502 with the reason, not 500 without a word", async () => {
    await plugin[Symbol.asyncDispose]();
    const answer = await goCall(server.address, "POST", "/create", createBody);
    expect(answer.code).toBe(502);
    expect(answer.body).toMatch(/ECONNREFUSED|ECONNRESET|other side closed/);
  });

  test("500 without a word of an existing server is still told to a person", async () => {
    await using existing = await new ExistingServer("http://127.0.0.1:9").listen();
    await using ours = new OurNode(existing.address);
    expect((await ours.create(createBody)).reason).toContain("HTTP 500");
  });
});

describe("1.9 documents versus code", () => {
  test("create as the plugin guide says it, lists in and out, is taken by our plugins and read by our server", async () => {
    await using ours = await new OurPlugin().listen();
    const list = await goCall(
      ours.address,
      "POST",
      "/create",
      fixture("plugin-create-old-list").body,
    );
    expect(list.code).toBe(200);
    expect(JSON.parse(list.body)).toHaveProperty("PodJID", "17");
    plugin.body = `[${createdBody}]`;
    const old = fixture("create-request-old-list").body;
    const taken = await goCall(server.address, "POST", "/create", old);
    expect(taken).toMatchObject({ code: 200, body: createdBody });
  });

  test("all operations as POST, as the OpenAPI document has them, are taken", async () => {
    plugin.body = JSON.stringify([told()]);
    const answer = await goCall(server.address, "POST", "/status", JSON.stringify([pod]));
    expect(answer.code).toBe(200);
    await using ours = await new OurPlugin().listen();
    expect((await goCall(ours.address, "POST", "/status", JSON.stringify([pod]))).code).toBe(200);
    expect((await goCall(ours.address, "POST", "/getLogs", fixture("log-request").body)).code).toBe(
      200,
    );
  });
});

test("a pod has its UID as its identity: the same name with another UID is another pod", async () => {
  await using ours = await new OurPlugin().listen();
  await using front = await ourServer(ours.address);
  const caller = new ExistingNode(front.address);
  await caller.create(createBody);
  const later = { ...pod, metadata: { ...pod.metadata, uid: randomUUID() } };
  expect(await caller.status(later)).toBeUndefined();
});
