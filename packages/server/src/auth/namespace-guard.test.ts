import { ProtocolError } from "@interlink/protocol";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fixture, send } from "../testing/go-caller.ts";
import { startSite, type TestSite } from "../testing/site.ts";

/** The pod of the fixtures, and one like it in another namespace. */
const UID = "4f6c1a1e-0d5a-4d0e-9c0b-2b7c1de0a001";
const OTHER_UID = "4f6c1a1e-0d5a-4d0e-9c0b-2b7c1de0a002";
const NAMESPACES: Readonly<Record<string, readonly string[]>> = {
  mine: ["default"],
  other: ["other", "another-*"],
  none: [],
};

const body = (name: string) => fixture(name).body;
const query = `namespace=default&pod=hello&uid=${UID}&container=main&stdout=1`;
const upgrade = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
const status = (uid: string, namespace: string) => ({
  UID: uid,
  name: "hello",
  namespace,
  JID: "1",
  containers: [{ name: "main", state: { running: { startedAt: "2026-01-05T10:00:00Z" } } }],
  initContainers: [],
});

/** Every request that is about a pod. */
const REQUESTS: [string, string, string, Record<string, string>][] = [
  ["POST", "/create", body("create-request"), {}],
  ["POST", "/update", body("create-request"), {}],
  ["DELETE", "/delete", body("delete-request"), {}],
  ["GET", "/status", body("status-request"), {}],
  ["GET", "/getLogs", body("log-request"), {}],
  ["GET", `/exec?${query}&command=id`, "", upgrade],
  ["GET", `/attach?${query}`, "", upgrade],
  ["GET", `/port-forward?namespace=default&pod=hello&uid=${UID}&port=80`, "", upgrade],
];

let site: TestSite;
let atPlugin: object[] = [];
beforeAll(async () => {
  site = await startSite({
    authenticate({ headers }) {
      const { caller } = headers;
      if (typeof caller !== "string") {
        throw new ProtocolError("refused", "who?", { httpStatus: 401 });
      }
      const namespaces = NAMESPACES[caller];
      return namespaces === undefined ? undefined : { name: caller, namespaces };
    },
  });
  const features = ["status-stream", "stats", "pod-updates", "exec", "attach", "port-forward"];
  site.plugin
    .says("/create", JSON.stringify({ PodUID: UID, PodJID: "1" }))
    .says("/update", "")
    .says("/delete", "")
    .says("/getLogs", "line\n")
    .says(
      "/capabilities",
      JSON.stringify({ protocol: "interlink", version: "1.0", agent: "x", features }),
    )
    .on("/status", (_, response) => void response.end(JSON.stringify(atPlugin)));
});
afterAll(() => site[Symbol.asyncDispose]());
beforeEach(() => {
  site.plugin.requests.length = 0;
  atPlugin = [status(UID, "default"), status(OTHER_UID, "other")];
});

const as = (caller: string, method: string, path: string, text = "", headers = {}) =>
  send(site.address, method, path, text, { ...headers, caller });
const handedOn = () =>
  site.plugin.requests.filter(({ path }) => path !== "/capabilities" && path !== "/status");

describe.each(REQUESTS)("%s %s", (method, path, text, headers) => {
  test.each(["other", "none"])("is refused to a caller of %s namespaces", async (caller) => {
    const answer = await as(caller, method, path, text, headers);
    expect(answer).toMatchObject({ code: 403 });
    expect(answer.body).toContain("namespace default");
    expect(site.plugin.requests).toEqual([]);
  });

  test("is refused to who is not known, before its body counts", async () => {
    expect((await send(site.address, method, path, "{", headers)).code).toBe(401);
    expect(site.plugin.requests).toEqual([]);
  });

  test("of a pod that is in another namespace than the request says is refused", async () => {
    atPlugin = [status(UID, "default")];
    const lie = (from: string) => from.replaceAll("default", "other");
    const answer = await as("other", method, lie(path), lie(text), headers);
    // A status answer leaves the pod out.
    if (path === "/status") expect(answer).toMatchObject({ code: 200, body: "[]" });
    else {
      expect(answer).toMatchObject({ code: 403 });
      expect(answer.body).not.toContain("default");
      expect(handedOn()).toEqual([]);
    }
  });
});

test.each(REQUESTS.slice(0, 5))(
  "%s %s is taken from a caller of the namespace",
  async (...request) => {
    expect((await as("mine", ...request)).code).toBe(200);
    expect((await as("anyone", ...request)).code).toBe(200);
  },
);

test("a status question about pods of several namespaces is refused as a whole", async () => {
  const pods = JSON.parse(body("status-request")) as { metadata: object }[];
  const [pod] = pods;
  const other = { ...pod, metadata: { ...pod?.metadata, uid: OTHER_UID, namespace: "other" } };
  const text = JSON.stringify([pod, other]);
  expect((await as("mine", "GET", "/status", text)).code).toBe(403);
  expect((await as("anyone", "GET", "/status", text)).code).toBe(200);
});

test("a site's pods of other namespaces are in no stream, no statistics and no ping", async () => {
  const records = [
    ...[status(UID, "default"), status(OTHER_UID, "other")].map((one) => ({
      type: "status",
      status: one,
    })),
    { type: "gone", UID: OTHER_UID, name: "hello", namespace: "other" },
    {
      type: "event",
      event: {
        UID: OTHER_UID,
        name: "hello",
        namespace: "other",
        type: "Normal",
        reason: "Started",
        message: "m",
        at: "2026-01-05T10:00:00Z",
      },
    },
    { type: "synced", at: "2026-01-05T10:00:00Z" },
  ];
  const lines = records.map((record) => `${JSON.stringify(record)}\n`).join("");
  const pod = (uid: string, namespace: string) => ({
    podRef: { name: "hello", namespace, uid },
    startTime: "2026-01-05T10:00:00Z",
    containers: [],
  });
  site.plugin
    .says("/status/stream", lines)
    .says("/stats", JSON.stringify({ pods: [pod(UID, "default"), pod(OTHER_UID, "other")] }));

  for (const path of ["/status/stream", "/stats", "/pinglink"]) {
    const told = await as("mine", path === "/pinglink" ? "POST" : "GET", path).catch(String);
    expect(JSON.stringify(told)).not.toContain(OTHER_UID);
    const all = await as("anyone", path === "/pinglink" ? "POST" : "GET", path).catch(String);
    expect(JSON.stringify(all)).toContain(OTHER_UID);
  }
});

test("a path that nobody thought of is refused to a caller with namespaces", async () => {
  expect((await as("mine", "GET", "/nothing")).code).toBe(403);
  expect((await as("anyone", "GET", "/nothing")).code).toBe(404);
});
