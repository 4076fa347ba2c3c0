import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Probe } from "kubernetes-types/core/v1.js";
import { expect, test } from "vitest";
import { BatchJob, batchPod, shell } from "../testing/batch-job.ts";
import { eventually } from "../testing/eventually.ts";
import { temporaryDirectory } from "../testing/temporary-directory.ts";

const forever = "while :; do sleep 0.05; done";
const obedient = `trap 'exit 0' TERM; echo ready; ${forever}`;
const exec = (script: string, rest: Partial<Probe> = {}): Probe => ({
  exec: { command: ["sh", "-c", script] },
  periodSeconds: 1,
  ...rest,
});

async function server(answer: RequestListener): Promise<AsyncDisposable & { port: number }> {
  const http: Server = createServer(answer).listen(0, "127.0.0.1");
  await once(http, "listening");
  return {
    port: (http.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
}

test("a liveness probe that fails has its container stopped and restarted, as a kubelet tells it", async () => {
  const pod = batchPod({
    restartPolicy: "OnFailure",
    containers: [
      shell("main", `trap 'exit 1' TERM; ${forever}`, {
        livenessProbe: exec("echo not alive; exit 1", { failureThreshold: 1 }),
      }),
    ],
  });
  await using job = await BatchJob.start(pod);
  await job.until("stopping main 1 liveness");
  const [status] = (await job.records()).containers;
  expect(status).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 1 } } });
  const { events = [] } = await job.records();
  const told = events.map(({ reason, message }) => `${reason}: ${message}`);
  expect(told).toContain("Unhealthy: Liveness probe failed: not alive\n");
  expect(told).toContain("Killing: Container main failed liveness probe, will be restarted");
});

test("a container is started when its startup probe succeeds, and ready when its readiness probe does", async () => {
  const pod = batchPod({
    initContainers: [
      shell("side", obedient, {
        restartPolicy: "Always",
        startupProbe: exec('[ -e "$F" ]', { failureThreshold: 100 }),
        readinessProbe: exec("true"),
        env: [{ name: "F", value: "/dev/null" }],
      }),
    ],
    containers: [shell("main", obedient, { readinessProbe: exec("exit 1") })],
  });
  await using job = await BatchJob.start(pod);
  await job.until("ready side 0");
  const lines = await job.lines();
  const place = (start: string) => lines.findIndex((line) => line.startsWith(start));
  expect(place("startup side 0")).toBeGreaterThan(place("started side 0"));
  expect(place("startup side 0")).toBeLessThan(place("created main 0"));
  await job.until("unhealthy main 0 readiness");
  const { containers, initContainers } = await job.records();
  expect(initContainers[0]).toMatchObject({ ready: true, started: true });
  expect(containers[0]).toMatchObject({ ready: false, started: true });
});

test("HTTP probes send what the kubelet sends and judge by the status", async () => {
  const asked: string[] = [];
  await using http = await server(({ url, headers }, response) => {
    asked.push([url, headers["x-it"], headers["user-agent"], headers.host].join(" "));
    response.writeHead(url === "/well?a=1" ? 204 : 503).end();
  });
  const get = (path: string): Probe => ({
    httpGet: { path, port: "web", httpHeaders: [{ name: "X-It", value: 'it\'s "$(id)"' }] },
    failureThreshold: 1,
  });
  const ports = [{ name: "web", containerPort: http.port }];
  const pod = batchPod({
    containers: [
      shell("well", obedient, { ports, readinessProbe: get("/well?a=1") }),
      shell("ill", obedient, { ports, readinessProbe: get("/ill") }),
    ],
  });
  await using job = await BatchJob.start(pod);
  await job.until("ready well 0");
  await job.until("unready ill 0");
  expect(asked).toContain(`/well?a=1 it's "$(id)" kube-probe/1.31 127.0.0.1:${http.port}`);
  const { events = [] } = await job.records();
  expect(events.find(({ reason }) => reason === "Unhealthy")?.message).toBe(
    "Readiness probe failed: HTTP probe failed with statuscode: 503",
  );
});

test("TCP probes connect", async () => {
  await using http = await server((_request, response) => response.end());
  const connect = (port: number): Probe => ({ tcpSocket: { port }, failureThreshold: 1 });
  const pod = batchPod({
    containers: [
      shell("well", obedient, { readinessProbe: connect(http.port) }),
      shell("ill", obedient, { readinessProbe: connect(1) }),
    ],
  });
  await using job = await BatchJob.start(pod);
  await job.until("ready well 0");
  await job.until("unready ill 0");
  const { events = [] } = await job.records();
  expect(events.find(({ reason }) => reason === "Unhealthy")?.message).toBe(
    "Readiness probe failed: dial tcp 127.0.0.1:1: connect: connection refused",
  );
});

test("a probe that takes longer than it may has failed, and is ended", async () => {
  const readinessProbe = exec("sleep 1000", { timeoutSeconds: 1, failureThreshold: 1 });
  const pod = batchPod({ containers: [shell("main", obedient, { readinessProbe })] });
  await using job = await BatchJob.start(pod);
  await job.until("unready main 0");
  const { events = [] } = await job.records();
  expect(events.find(({ reason }) => reason === "Unhealthy")?.message).toBe(
    "Readiness probe failed: command timed out after 1s",
  );
});

test("a postStart hook that fails has its container stopped", async () => {
  await using folder = await temporaryDirectory();
  const ready = join(folder.path, "ready");
  const fails = `until [ -e ${ready} ]; do sleep 0.05; done; exit 1`;
  const lifecycle = { postStart: { exec: { command: ["sh", "-c", fails] } } };
  const main = shell("main", `trap 'exit 0' TERM; touch ${ready}; ${forever}`, { lifecycle });
  const pod = batchPod({ containers: [main] });
  await using job = await BatchJob.start(pod);
  expect(await job.end()).toBe(0);
  const { events = [] } = await job.records();
  expect(events.map(({ reason }) => reason)).toContain("FailedPostStartHook");
  expect(await job.lines()).toContain("stopping main 0 postStart");
});

test("a sidecar with a postStart hook lets the others start when that is over", async () => {
  await using http = await server((_request, response) => response.writeHead(500).end());
  const lifecycle = { postStart: { httpGet: { port: http.port } } };
  const pod = batchPod({
    initContainers: [shell("side", obedient, { lifecycle, restartPolicy: "Always" })],
    containers: [shell("main", "true")],
  });
  await using job = await BatchJob.start(pod);
  expect(await job.end()).toBe(0);
  const lines = await job.lines();
  expect(lines.indexOf("post-start side 0")).toBeGreaterThan(0);
  expect(lines.indexOf("post-start side 0")).toBeLessThan(
    lines.findIndex((line) => line.startsWith("created main 0")),
  );
});

test("what prepares an image runs once for the containers that share it; a failure is told and tried again", async () => {
  const pod = batchPod(
    {
      containers: [
        shell("a", "true", { image: "good" }),
        shell("b", "true", { image: "good" }),
        shell("c", "true", { image: "bad" }),
      ],
    },
    {
      runtime: {
        exportPrefix: "",
        prepare: ({ container: { image = "", name } }) => [
          [["sh"], ["-c"], [image === "bad" ? "echo no such image; exit 1" : `echo ${name}`]],
        ],
        run: ({ command = [] }) => command.map((word) => [word]),
        exec: () => [],
      },
      backOffMs: 60_000,
    },
  );
  await using job = await BatchJob.start(pod);
  await job.until("exited b 0");
  await job.until("pull-failed c 60000");
  expect((await job.lines()).filter((line) => line.startsWith("pulled "))).toHaveLength(1);
  const at = Date.now() + 10_000;
  const status = await eventually("the waiting state", async () =>
    (await job.records(at)).containers.find(({ name }) => name === "c"),
  );
  expect(status.state?.waiting).toEqual({
    reason: "ImagePullBackOff",
    message: 'Back-off pulling image "bad": ErrImagePull: no such image\n',
  });
});
