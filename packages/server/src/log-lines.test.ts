import { Readable } from "node:stream";
import { createInterlinkClient, serveProcess } from "@interlink/protocol";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { fixture, open, send } from "./testing/go-caller.ts";
import { startSite, type TestSite } from "./testing/site.ts";

const UID = "4f6c1a1e-0d5a-4d0e-9c0b-2b7c1de0a001";
const pod = { Namespace: "default", PodName: "hello", PodUID: UID };
const createBody = fixture("create-request").body;
const deleteBody = fixture("delete-request").body;

let lines: Record<string, unknown>[];
let site: TestSite;
beforeEach(async () => {
  lines = [];
  const logger = pino(
    { level: "trace" },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  );
  site = await startSite({ logger });
});
afterEach(() => site[Symbol.asyncDispose]());

/** The lines of one request, once the one that comes last is there. */
async function told(id: string, last = "answered"): Promise<Record<string, unknown>[]> {
  const ofIt = () => lines.filter(({ requestId }) => requestId === id);
  await vi.waitFor(() => expect(ofIt().map(({ msg }) => msg)).toContain(last));
  return ofIt();
}

const about = { pod: "default/hello", uid: UID, job: "4711" };
const session = (id: string) => ({ "interlink-http-session": id });

it("a line of a call, a refusal or a stream names the pod, its job and the request", async () => {
  const { address, plugin } = site;
  plugin.says("/create", fixture("create-answer").body);
  await send(address, "POST", "/create", createBody, session("r-1"));
  expect(await told("r-1")).toMatchObject([
    { msg: "created", ...about },
    { msg: "answered", ...about },
  ]);

  let cut = (): void => {};
  plugin.on("/getLogs", (_, response) => {
    response.write("half a li");
    cut = () => response.destroy();
  });
  const half = await open(address, "GET", "/getLogs", fixture("log-request").body, session("r-2"));
  half.on("error", () => undefined);
  half.once("data", () => cut());
  const ofLogs = await told("r-2", "stream cut");
  for (const line of ofLogs) expect(line).toMatchObject(about);

  plugin.says("/capabilities", '{"protocol":"interlink","version":"1.0","features":["exec"]}');
  plugin.streams.set("/exec", (socket) => {
    const stdout = Readable.from([Buffer.from("done")]);
    return serveProcess(socket, {
      stdout,
      ended: Promise.resolve({ exitCode: 0 }),
      resize: () => {},
      close: () => void stdout.destroy(),
    });
  });
  const client = createInterlinkClient({ address, peer: "server" });
  const command = { Command: ["true"], Stdin: false, Stdout: true, Stderr: false, TTY: false };
  const streams = await client.exec(
    { ...pod, ContainerName: "main", ...command },
    { requestId: "r-3" },
  );
  streams.stdout?.resume();
  expect(await streams.ended).toEqual({ exitCode: 0 });
  const ofExec = await told("r-3", "stream ended");
  expect(ofExec.map(({ msg }) => msg)).toContain("stream began");
  for (const line of ofExec) expect(line).toMatchObject(about);
  await client.close();

  plugin.says("/delete", "the queue is closed", 500);
  await send(address, "DELETE", "/delete", deleteBody, session("r-4"));
  expect(await told("r-4")).toMatchObject([
    { msg: "request failed", ...about },
    { msg: "answered", ...about },
  ]);
  plugin.says("/delete", "");
  await send(address, "DELETE", "/delete", deleteBody, session("r-5"));
  expect(await told("r-5")).toMatchObject([
    { msg: "deletion handed to the plugin", ...about },
    { msg: "answered", ...about },
  ]);
});

it("a body that is refused names its pod all the same, where it says which", async () => {
  const { address } = site;
  const wrong = createBody.replace('"containers":[', '"containers":7,"boxes":[');
  expect(wrong).not.toBe(createBody);
  expect((await send(address, "POST", "/create", wrong, session("r-1"))).code).toBe(400);
  const [line] = await told("r-1");
  expect(line).toMatchObject({ msg: "request refused", pod: "default/hello", uid: UID });

  for (const body of ["null", "7", '{"pod":null}', '{"pod":{"metadata":null}}', '{"pod":7}']) {
    expect((await send(address, "POST", "/create", body)).code).toBe(400);
  }
});

it("a deletion names the job that the virtual node noted, when the server began after the job", async () => {
  const { address, plugin } = site;
  plugin.says("/delete", "");
  const noted = deleteBody.replace('"annotations":{', '"annotations":{"JobID":"4711",');
  await send(address, "DELETE", "/delete", noted, session("r-1"));
  expect(await told("r-1")).toMatchObject([
    { msg: "deletion handed to the plugin", ...about },
    { msg: "answered", ...about },
  ]);
});

it("a pod to be created is not said to have the job that its manifest was copied with", async () => {
  const { address, plugin } = site;
  plugin.says("/create", fixture("create-answer-empty").body);
  const copied = createBody.replace('"metadata":{', '"metadata":{"annotations":{"JobID":"1"},');
  await send(address, "POST", "/create", copied, session("r-1"));
  for (const line of await told("r-1")) expect(line).not.toHaveProperty("job");
});
