import {
  createKubeClient,
  type EventRecorder,
  Informer,
  type KubeClient,
  loadKubeCredentials,
  paths,
} from "@interlink/kube";
import { FakeApiServer } from "@interlink/kube/testing";
import type { Node, NodeSpec, NodeStatus, Pod } from "kubernetes-types/core/v1.js";
import { pino } from "pino";
import type { PodContext } from "../pods/pod-context.ts";
import { createPodEvents } from "../pods/pod-events.ts";
import { PodManager } from "../pods/pod-manager.ts";
import { DEFAULT_POD_TIMING, type PodTiming } from "../pods/timing.ts";
import { createObjectReader } from "../resolve/object-reader.ts";
import { createObjectWatches } from "../resolve/object-watches.ts";
import { FakeSite } from "./fake-site.ts";
import { aPod } from "./pods.ts";

const QUICK = { firstMs: 2, capMs: 10, jitter: 0 };
/** Waits that no test notices. */
export const QUICK_TIMING: PodTiming = {
  ...DEFAULT_POD_TIMING,
  siteRetry: QUICK,
  objectRetry: { firstMs: 60_000, capMs: 60_000, jitter: 0 },
  confirm: QUICK,
  lostAfterMs: 10,
  baseLostAfterMs: 10,
  baseSettleMs: 10,
  orphanAfterMs: 5,
};

export const OWNER = "cluster-1/vn";

/** One life of a node: its pod manager with informer, as the assembly builds them. */
export interface NodeLife extends AsyncDisposable {
  manager: PodManager;
}

/** A cluster and a site that outlive the lives of a node, so that tests can kill and restart it. */
export class PodWorld implements AsyncDisposable {
  readonly api: FakeApiServer;
  readonly site = new FakeSite();
  readonly client: KubeClient;
  /** `Type Reason message` of every event. */
  readonly events: string[] = [];
  wallMs = 0;
  /** What the node holds of its own object; `putNode` also gives it to the API server. */
  nodeObject: Node | undefined;
  readonly #lives = new Set<NodeLife>();

  private constructor(api: FakeApiServer, client: KubeClient) {
    this.api = api;
    this.client = client;
  }

  static async start(): Promise<PodWorld> {
    const api = await FakeApiServer.start();
    const credentials = await loadKubeCredentials({ kubeconfigYaml: api.kubeconfigYaml });
    const world = new PodWorld(api, createKubeClient(credentials));
    world.putNode({ allocatable: { cpu: "8", memory: "8Gi", pods: "110" } });
    return world;
  }

  /** Starts a node; resolves when it has taken over what runs. */
  async node(over: Partial<PodContext> = {}): Promise<NodeLife> {
    const stop = new AbortController();
    const watches = createObjectWatches(this.client);
    const recorder: Pick<EventRecorder, "record"> = {
      record: (about, type, reason, message) => {
        const where = about.fieldPath ? ` [${about.fieldPath}]` : "";
        this.events.push(`${type} ${reason} ${message}${where}`);
      },
    };
    const manager = new PodManager({
      nodeName: "vn",
      owner: OWNER,
      nodeAddress: "192.0.2.1",
      client: this.client,
      site: this.site,
      node: () => this.nodeObject,
      reader: createObjectReader({ client: this.client, now: () => performance.now() }),
      watches,
      events: createPodEvents(recorder),
      logger: pino({ level: "silent" }),
      timing: QUICK_TIMING,
      allocatable: () => ({ cpu: "8" }),
      jobscriptURL: "",
      annotateJobs: true,
      now: () => performance.now(),
      wall: () => new Date(Date.now() + this.wallMs),
      random: () => 0,
      checkpoint: () => undefined,
      ...over,
    });
    const informer = new Informer<Pod>({
      client: this.client,
      path: paths.pods.collection(),
      fieldSelector: "spec.nodeName=vn",
      consistentStart: true,
    });
    informer.on({
      added: (pod) => manager.seen(pod),
      changed: (pod) => manager.seen(pod),
      removed: (pod) => manager.removed(pod),
    });
    const run = informer.run(stop.signal);
    await informer.synced;
    manager.begin();
    const life: NodeLife = {
      manager,
      [Symbol.asyncDispose]: async () => {
        this.#lives.delete(life);
        stop.abort();
        await Promise.all([manager.close(), run, watches[Symbol.asyncDispose]()]);
      },
    };
    this.#lives.add(life);
    return life;
  }

  /** Puts a pod into the cluster. */
  put(over: Parameters<typeof aPod>[0] = {}, rest: Parameters<typeof aPod>[1] = {}): Pod {
    const pod = aPod(over, rest);
    return this.api.put(pathOf(pod), pod) as Pod;
  }

  putNode(status: NodeStatus, spec: NodeSpec = {}, labels: Record<string, string> = {}): Node {
    this.nodeObject = {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "vn", uid: "node-uid", labels },
      spec,
      status,
    };
    this.api.put(paths.nodes.named("vn"), this.nodeObject);
    return this.nodeObject;
  }

  pod(name = "p"): Pod | undefined {
    return this.api.object(paths.pods.named("default", name)) as Pod | undefined;
  }

  /** As `kubectl delete` does. */
  delete(grace = 30, name = "p"): void {
    const pod = this.pod(name);
    if (!pod) throw new Error(`there is no pod ${name}`);
    this.api.put(pathOf(pod), {
      ...pod,
      metadata: {
        ...pod.metadata,
        deletionTimestamp: new Date().toISOString(),
        deletionGracePeriodSeconds: grace,
      },
    });
  }

  /** As `kubectl delete --force` does. */
  forceDelete(name = "p"): void {
    this.api.remove(paths.pods.named("default", name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const life of this.#lives) await life[Symbol.asyncDispose]();
    await this.client.close();
    await this.api[Symbol.asyncDispose]();
  }
}

function pathOf(pod: Pod): string {
  return paths.pods.named(pod.metadata?.namespace ?? "", pod.metadata?.name ?? "");
}
