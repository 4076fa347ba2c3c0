import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createKubeClient,
  Informer,
  type KubeClient,
  loadKubeCredentials,
  paths,
} from "@interlink/kube";
import { type RunningPlugin, servePlugin } from "@interlink/plugin-sdk";
import type { Lease } from "kubernetes-types/coordination/v1.js";
import type { Pod } from "kubernetes-types/core/v1.js";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NullProvider } from "./harness/null-provider.ts";
import { System } from "./harness/system.ts";
import { describeKubernetes } from "./systems/describe-system.ts";
import { waitUntil } from "./systems/wait-until.ts";

const HALF = 1000;
const NAMESPACE = "default";
/** The node is given up after 40 s without a renewal; a busy node must not come near. */
const LEASE_LIMIT_MS = 20_000;

describeKubernetes("2,000 pods on one node", (target) => {
  let directory: string;
  let plugin: RunningPlugin;
  let system: System;
  let kube: KubeClient;
  const stop = new AbortController();
  const running: Promise<void>[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "interlink-scale-"));
    plugin = await servePlugin(new NullProvider(), {
      listen: { unixSocket: join(directory, "plugin.sock") },
      logger: pino({ level: "silent" }),
    });
    const given = { name: "given", address: plugin.address } as const;
    system = await System.start({ plugin: given, target });
    const credentials = { kubeconfigFile: system.cluster.kubeconfigFile };
    kube = createKubeClient(await loadKubeCredentials(credentials), { connections: 32 });
  });
  afterAll(async () => {
    stop.abort();
    await Promise.all(running);
    await kube?.close();
    await system?.[Symbol.asyncDispose]();
    await plugin?.close();
    await rm(directory, { recursive: true, force: true });
  });

  test("all run and are deleted; the lease does not suffer, pods are not listed again, memory per pod does not grow", async () => {
    const pods = watchPods();
    const renewals = watchLease();
    await waitUntil("the lease was seen", () => renewals.length > 0);
    const listsBefore = await listsOfPods();

    const memory = [await residentKib()];
    for (const half of ["first", "second"]) {
      await createPods(half);
      const wanted = HALF * memory.length;
      await waitUntil(`${wanted} pods run`, () => pods.running() === wanted, 300_000);
      memory.push(await residentKib());
    }
    const [idle = 0, one = 0, two = 0] = memory;
    // What is not collected yet differs from moment to moment: a bound, and no doubling.
    expect((two - one) / HALF).toBeLessThan(200);
    expect((one - idle) / HALF).toBeLessThan(300);

    await system.kubectl.run(["delete", "pods", "--all", "--wait=false"], { timeoutMs: 300_000 });
    await waitUntil("all pods are gone", () => pods.informer.size === 0, 300_000);

    expect(await listsOfPods()).toBe(listsBefore);
    const gaps = renewals.slice(1).map((at, index) => at - (renewals[index] ?? at));
    expect(gaps.length).toBeGreaterThan(0);
    expect(Math.max(...gaps)).toBeLessThan(LEASE_LIMIT_MS);
    const ready = `jsonpath={.status.conditions[?(@.type=="Ready")].status}`;
    const node = await system.kubectl.run(["get", "node", system.nodeName, "-o", ready]);
    expect(node).toBe("True");
  }, 900_000);

  function watchPods() {
    const informer = new Informer<Pod>({ client: kube, path: paths.pods.collection(NAMESPACE) });
    running.push(informer.run(stop.signal));
    const isRunning = ({ status }: Pod): boolean => status?.phase === "Running";
    return { informer, running: () => informer.list().filter(isRunning).length };
  }

  /** When the lease was renewed, by the clock of the node. */
  function watchLease(): number[] {
    const renewals: number[] = [];
    const informer = new Informer<Lease>({
      client: kube,
      path: paths.leases.collection("kube-node-lease"),
      fieldSelector: `metadata.name=${system.nodeName}`,
    });
    const renewed = ({ spec }: Lease): void => {
      renewals.push(Date.parse(spec?.renewTime ?? ""));
    };
    informer.on({ added: renewed, changed: renewed });
    running.push(informer.run(stop.signal));
    return renewals;
  }

  async function createPods(half: string): Promise<void> {
    const names = Array.from({ length: HALF }, (_, index) => `${half}-${index}`);
    const worker = async (): Promise<void> => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) {
        await kube.create(paths.pods.collection(NAMESPACE), podNamed(name), { timeoutMs: 60_000 });
      }
    };
    await Promise.all(Array.from({ length: 16 }, worker));
  }

  function podNamed(name: string): Pod {
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: NAMESPACE },
      spec: {
        nodeName: system.nodeName,
        terminationGracePeriodSeconds: 1,
        tolerations: [{ operator: "Exists" }],
        containers: [{ name: "main", image: "none" }],
      },
    };
  }

  /** How often the pods of all namespaces were listed: by the node, for nobody else begins to in this test. */
  async function listsOfPods(): Promise<number> {
    const metrics = await system.kubectl.run(["get", "--raw", "/metrics"]);
    return metrics
      .split("\n")
      .filter((line) => line.startsWith("apiserver_request_total{"))
      .filter((line) =>
        ['resource="pods"', 'verb="LIST"', 'scope="cluster"'].every((one) => line.includes(one)),
      )
      .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  async function residentKib(): Promise<number> {
    const status = await readFile(`/proc/${system.part("node").pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  }
});
