import { writeDeleteRequest, writeLogRequest, writeRetrievedPodData } from "@interlink/protocol";
import { pino } from "pino";
import { request } from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PluginError } from "../plugin-error.ts";
import { eventually } from "../testing/eventually.ts";
import { FakeProvider } from "../testing/fake-provider.ts";
import { logRequest } from "../testing/log-request.ts";
import { podData } from "../testing/pod-data.ts";
import { LogScope } from "./log-scope.ts";
import type { RunningPlugin } from "./options.ts";
import { servePlugin } from "./serve-plugin.ts";

const UID = "9d3b5e0e-0000-4000-8000-000000000001";
const OTHER = "9d3b5e0e-0000-4000-8000-000000000002";
const { name, namespace } = podData(UID).pod.metadata ?? {};
const about = { uid: UID, pod: `${namespace}/${name}` };

interface Line {
  msg: string;
  requestId?: string;
}

let lines: Line[];
let provider: FakeProvider;
let plugin: RunningPlugin;
const scope = new LogScope();
const logger = pino(
  { level: "trace", mixin: (line: object) => scope.fields(line) },
  { write: (text: string) => lines.push(JSON.parse(text) as Line) },
);

beforeEach(async () => {
  lines = [];
  provider = new FakeProvider();
  provider.aboutPod = (uid) => (uid === UID ? { pod: about.pod, job: "17" } : undefined);
  plugin = await servePlugin(provider, {
    listen: { host: "127.0.0.1", port: 0 },
    logger,
    scope,
  });
});
afterEach(async () => {
  await plugin.close();
});

async function ask(path: string, body: string, requestId: string): Promise<void> {
  const headers = { "interlink-http-session": requestId };
  const answer = await request(`${plugin.address}${path}`, { method: "POST", headers, body });
  await answer.body.dump();
  await eventually("its last line", () => line("answered"));
}

const line = (msg: string): Line | undefined => lines.find((one) => one.msg === msg);
const create = writeRetrievedPodData(podData(UID));

test("every line of a call says the pod, the job and the request, whatever becomes of the call", async () => {
  await ask("/create", create, "one");
  expect(line("created")).toMatchObject({ ...about, job: "17", requestId: "one" });
  expect(line("answered")).toMatchObject({ ...about, job: "17", requestId: "one" });
  lines = [];
  await ask("/delete", writeDeleteRequest(podData(UID).pod), "two");
  expect(line("delete taken on")).toMatchObject({ ...about, job: "17", requestId: "two" });
  lines = [];
  provider.onCreate = () => Promise.reject(new PluginError("rejected", "Too large."));
  await ask("/create", create, "three");
  expect(line("a call was refused")).toMatchObject({ ...about, job: "17", requestId: "three" });
});

test("a log that ends early says whose it is", async () => {
  provider.onLogs = async function* () {
    yield Buffer.from("some");
    throw new Error("The disk is gone.");
  };
  const body = writeLogRequest(logRequest(UID));
  const headers = { "interlink-http-session": "four" };
  await request(`${plugin.address}/getLogs`, { method: "POST", headers, body })
    .then((answer) => answer.body.dump())
    .catch(() => undefined);
  await eventually("the line", () => line("a stream ended early"));
  expect(line("a stream ended early")).toMatchObject({ ...about, job: "17", requestId: "four" });
});

test("what a provider says while it answers is due to the call, and what it says later is not", async () => {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  provider.onCreate = async () => {
    logger.info({ uid: UID }, "submitting");
    logger.info({ uid: OTHER }, "looked after");
    logger.info("no pod's");
    void gate.then(() => logger.info({ uid: UID }, "watched"));
    return { PodUID: UID, PodJID: "17" };
  };
  await ask("/create", create, "five");
  expect(line("submitting")).toMatchObject({ ...about, job: "17", requestId: "five" });
  expect(line("no pod's")).toMatchObject({ requestId: "five" });
  expect(line("looked after")).not.toHaveProperty("requestId");
  open();
  await eventually("the later line", () => line("watched"));
  expect(line("watched")).toMatchObject({ ...about, job: "17" });
  expect(line("watched")).not.toHaveProperty("requestId");
});
