import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { pino } from "pino";
import { beforeAll, describe, expect, it } from "vitest";
import { type LeaseKeeper, startLeaseKeeper, workerFile } from "./lease-keeper.ts";

const logger = pino({ level: "silent" });

/** A server of one lease, in a thread of its own, so that it answers while the test blocks its own event loop. */
const serverSource = `
  const { workerData, parentPort } = require("node:worker_threads");
  const renewals = new Int32Array(workerData);
  let lease;
  const server = require("node:http").createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const send = (code, body) => { response.writeHead(code); response.end(JSON.stringify(body)); };
    if (request.method === "GET" && !lease) return send(404, { kind: "Status", reason: "NotFound" });
    if (request.method !== "GET") {
      lease = JSON.parse(text);
      Atomics.add(renewals, 0, 1);
    }
    send(200, lease);
  });
  server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));
  parentPort.on("message", (what) => what === "lease" ? parentPort.postMessage(lease) : process.exit());
`;

interface LeaseServer extends AsyncDisposable {
  kubeconfigYaml: string;
  renewals(): number;
  lease(): Promise<unknown>;
}

async function startLeaseServer(): Promise<LeaseServer> {
  const shared = new SharedArrayBuffer(4);
  const worker = new Worker(serverSource, { eval: true, workerData: shared, execArgv: [] });
  const answer = (): Promise<unknown> => new Promise((resolve) => worker.once("message", resolve));
  const port = String(await answer());
  return {
    kubeconfigYaml: JSON.stringify({
      "current-context": "c",
      contexts: [{ name: "c", context: { cluster: "c" } }],
      clusters: [{ name: "c", cluster: { server: `http://127.0.0.1:${port}` } }],
    }),
    renewals: () => Atomics.load(new Int32Array(shared), 0),
    lease: () => {
      const lease = answer();
      worker.postMessage("lease");
      return lease;
    },
    [Symbol.asyncDispose]: async () => {
      await worker.terminate();
    },
  };
}

/** Waits without ever giving the event loop a turn. */
function blockUntil(condition: () => boolean): void {
  const until = Date.now() + 15_000;
  while (!condition()) if (Date.now() > until) throw new Error("not within 15 s");
}

function keep(server: LeaseServer, more: { workerFile?: URL; renewMs?: number } = {}): LeaseKeeper {
  return startLeaseKeeper({
    credentials: { kubeconfigYaml: server.kubeconfigYaml },
    nodeName: "n",
    renewMs: 20,
    logger,
    ...more,
  });
}

describe("LeaseKeeper", () => {
  beforeAll(() => {
    // The thread needs built files: `npm test` builds first, a single run of this file may not have.
    if (existsSync(fileURLToPath(workerFile(import.meta.url)))) return;
    const root = fileURLToPath(new URL("../../../../", import.meta.url));
    const tsc = fileURLToPath(new URL("node_modules/typescript/bin/tsc", `file://${root}`));
    spawnSync(process.execPath, [tsc, "-b", "packages/node"], { cwd: root });
  }, 120_000);

  it("renews from another thread while this one is stuck", async () => {
    await using server = await startLeaseServer();
    await using keeper = keep(server);
    expect(keeper.thread).toBe("worker");
    keeper.nodeIs("uid-1");
    // Not one turn of this thread's event loop from here on.
    blockUntil(() => server.renewals() >= 5);
    expect(server.renewals()).toBeGreaterThanOrEqual(5);
  });

  it("names the Node as owner, and the new one when the Node was made anew", async () => {
    await using server = await startLeaseServer();
    await using keeper = keep(server);
    keeper.nodeIs("uid-1");
    blockUntil(() => server.renewals() >= 1);
    expect(await server.lease()).toMatchObject({
      metadata: { ownerReferences: [{ kind: "Node", name: "n", uid: "uid-1" }] },
      spec: { holderIdentity: "n", leaseDurationSeconds: 40 },
    });
    keeper.nodeIs("uid-2");
    const seen = server.renewals();
    blockUntil(() => server.renewals() >= seen + 2);
    expect(await server.lease()).toMatchObject({
      metadata: { ownerReferences: [{ uid: "uid-2" }] },
    });
  });

  it("writes nothing before the Node exists, and ends when it is closed", async () => {
    await using server = await startLeaseServer();
    const keeper = keep(server);
    await keeper[Symbol.asyncDispose]();
    expect(server.renewals()).toBe(0);
    expect(keeper.renewedAtMs).toBeUndefined();
  });

  it("does not keep a process alive that has nothing else to do", () => {
    const built = new URL("lease-keeper.js", workerFile(import.meta.url)).href;
    const program = `
      const { startLeaseKeeper } = await import(${JSON.stringify(built)});
      const credentials = { kubeconfigYaml: "{}" };
      const logger = { warn() {}, info() {}, error() {} };
      const keeper = startLeaseKeeper({ credentials, nodeName: "n", logger });
      keeper.nodeIs("uid-1");
      console.log(keeper.thread);
    `;
    const args = ["--input-type=module", "--eval", program];
    const { status, stdout } = spawnSync(process.execPath, args, { timeout: 50_000 });
    expect([status, String(stdout)]).toEqual([0, "worker\n"]);
  });

  it("renews in this thread, and says so, when its file is missing", async () => {
    await using server = await startLeaseServer();
    await using keeper = keep(server, { workerFile: new URL("file:///nowhere/lease-worker.js") });
    expect(keeper.thread).toBe("main");
    keeper.nodeIs("uid-1");
    await expect.poll(() => keeper.renewedAtMs, { timeout: 30_000 }).toBeDefined();
    expect(server.renewals()).toBeGreaterThan(0);
  });
});
