import { createInterlinkClient, type PodCreateRequest } from "@interlink/protocol";
import { describe, expect, test } from "vitest";
import { ExistingNode, recovered } from "./peers/existing-node.ts";
import { KubernetesLike, SlurmLike } from "./peers/existing-plugins.ts";
import { ExistingServer } from "./peers/existing-server.ts";
import { another, createBody, fixture, pod, uid } from "./peers/fixtures.ts";
import { goCall } from "./peers/go-http.ts";
import { OurNode, OurPlugin, ourServer } from "./peers/ours.ts";

// Section 12.9 of the reference (wire and node): what a compatible implementation should keep, number by number. Numbers 7 (what
// the node writes to Kubernetes), 8 (the mesh script) and 9 (resolved volumes) are the node's side towards Kubernetes: see
// packages/node/src/registration, packages/node/src/pods and packages/node/src/resolve. What of them is on the wire is here.

test("12.9.1 GET with a JSON body for status and logs; POST delete towards plugins; DELETE, and any method, from nodes", async () => {
  await using plugin = await new KubernetesLike().listen();
  await using server = await ourServer(plugin.address);
  const node = new ExistingNode(server.address);
  await node.create(createBody);
  await node.status(pod);
  await node.logs(pod, "main");
  await node.delete(pod);
  const asked = plugin.requests.filter(({ path }) => path !== "/capabilities");
  expect(asked.map(({ method, path, body }) => [method, path, body.length > 0])).toEqual([
    ["POST", "/create", true],
    ["GET", "/status", true],
    ["GET", "/getLogs", true],
    ["POST", "/delete", true],
  ]);
});

test("12.9.2 /pinglink is GET /status with [] towards plugins, its body passed through", async () => {
  await using plugin = await new SlurmLike().listen();
  await using server = await ourServer(plugin.address);
  const { answer } = await new ExistingNode(server.address).ping();
  expect(answer.body).toBe('{"status":"ok","resources":{"cpu":"128"}}');
  expect(plugin.asked("/status")).toMatchObject([{ method: "GET", body: "[]" }]);
});

test("12.9.3 single objects for create and its answer; a list of one, a numeric PodJID and any 2xx are taken", async () => {
  // Answers are held to this in wire-and-node-1.test.ts, 1.4 CreateStruct and 1.6.
  await using plugin = await new OurPlugin().listen();
  await using server = await ourServer(plugin.address);
  for (const name of ["create-request", "create-request-old-list"]) {
    const answer = await goCall(server.address, "POST", "/create", fixture(name).body);
    expect(answer).toMatchObject({ code: 200, body: `{"PodUID":"${uid}","PodJID":"17"}` });
  }
});

test("12.9.4 names in any letter case, null lists and null times, unknown fields: also of nodes' requests", async () => {
  await using plugin = await new OurPlugin().listen();
  await using server = await ourServer(plugin.address);
  const { pod: wanted, ...rest } = JSON.parse(createBody) as PodCreateRequest;
  const body = JSON.stringify({ POD: wanted, ...rest, ConfigMaps: rest.configmaps, novelty: 1 });
  expect((await goCall(server.address, "POST", "/create", body)).code).toBe(200);
  expect(plugin.job(uid).data.pod.metadata?.labels).toEqual({
    app: "hello",
    NAME: "kept as it is",
  });
});

test("12.9.5 exact keys on both hops, jobConfig always, the zero SinceTime", async () => {
  await using plugin = await new SlurmLike().listen();
  await using server = await ourServer(plugin.address);
  await using node = new OurNode(server.address);
  await node.create(createBody);
  await node.logs(pod, "main");
  expect(plugin.asked("/create")[0]?.body).toBe(fixture("plugin-create-volumes").body);
  const log = plugin.asked("/getLogs")[0]?.body ?? "";
  expect(Object.keys(JSON.parse(log) as object)).toEqual([
    "Namespace",
    "PodUID",
    "PodName",
    "ContainerName",
    "Opts",
  ]);
  expect(log).toContain('"SinceTime":"0001-01-01T00:00:00Z"');
});

test("12.9.6 InterLink-Http-Session goes on; the bearer token ends at the API server", async () => {
  await using plugin = await new SlurmLike().listen();
  await using server = await ourServer(plugin.address);
  const client = createInterlinkClient({
    address: server.address,
    peer: "server",
    token: () => "hush-hush",
  });
  try {
    await client.create(JSON.parse(createBody) as PodCreateRequest, { requestId: "CreatePod#5" });
  } finally {
    await client.close();
  }
  const headers = plugin.asked("/create")[0]?.headers ?? {};
  expect(headers["interlink-http-session"]).toBe("CreatePod#5");
  expect(JSON.stringify(plugin.requests)).not.toContain("hush-hush");
});

test("12.9.7 the annotation JobID counts by its presence: a pod of an existing node with one is asked about, not created", async () => {
  await using plugin = await new SlurmLike().listen();
  await using server = await ourServer(plugin.address);
  const node = new ExistingNode(server.address);
  const { jobId = "" } = await node.create(createBody);
  const adopted = { ...pod, metadata: { ...pod.metadata, annotations: { JobID: jobId } } };
  const fresh = another("fresh", 2).pod;
  expect(recovered([adopted, fresh])).toEqual([adopted]);
  await using ours = new OurNode(server.address);
  expect((await ours.status(adopted))?.status.UID).toBe(uid);
  expect(plugin.creates).toBe(1);
});

test("12.9.7 a repeated create, as of a node that lost the answer, starts nothing anew at our plugins", async () => {
  await using plugin = await new OurPlugin().listen();
  await using server = await ourServer(plugin.address);
  const node = new ExistingNode(server.address);
  expect(await node.create(createBody)).toEqual(await node.create(createBody));
  expect(plugin.jobs.size).toBe(1);
});

test("12.9.8 slurm-job.vk.io/pre-exec with the mesh script passes byte for byte", async () => {
  await using plugin = await new SlurmLike().listen();
  await using server = await ourServer(plugin.address);
  const request = JSON.parse(createBody) as PodCreateRequest;
  const script = "cat <<'EOFMESH' > $TMPDIR/mesh.sh\n#!/bin/bash\necho \"<&>\" '\\n'\nEOFMESH\n";
  request.pod.metadata = {
    ...request.pod.metadata,
    annotations: { "slurm-job.vk.io/pre-exec": script },
  };
  await new ExistingNode(server.address).create(JSON.stringify(request));
  expect(plugin.job(uid).pod.metadata?.annotations?.["slurm-job.vk.io/pre-exec"]).toBe(script);
});

test("12.9.9 projected content comes ready under the volume's name, downwardAPI volumes as projected ones", async () => {
  await using plugin = await new OurPlugin().listen();
  await using server = await ourServer(plugin.address);
  await new ExistingNode(server.address).create(createBody);
  const [main] = plugin.job(uid).data.container;
  expect(main?.projectedvolumemaps).toMatchObject([
    { metadata: { name: "kube-api-access-x7k2p" }, data: { namespace: "default" } },
  ]);
});

test("12.9.10 a ping's 200 counts, whatever stands in it", async () => {
  // The bodies are in wire-and-node-1.test.ts, 1.4 PingResponse.
  await using plugin = await new KubernetesLike().listen();
  await using server = await new ExistingServer(plugin.address).listen();
  await using node = new OurNode(server.address);
  expect((await node.ping()).ready).toBe(true);
});

describe("the first design's calls", () => {
  // Its node ends at anything but 200 (packages/server/src/routes/old-calls.ts).
  test.each([
    ["POST", "/ping", "", "0"],
    ["GET", "/ping", "", "0"],
    ["POST", "/setKubeCFG", "apiVersion: v1\nkind: Config\n", "200"],
    ["PUT", "/setKubeCFG", '{"Body":"apiVersion: v1"}', "200"],
  ])(
    "%s %s is answered 200, and nothing of it reaches the plugin",
    async (method, path, body, said) => {
      await using plugin = await new SlurmLike().listen();
      await using server = await ourServer(plugin.address);
      expect(await goCall(server.address, method, path, body)).toMatchObject({
        code: 200,
        body: said,
      });
      expect(plugin.requests).toEqual([]);
    },
  );
});
