// Keeps the Node object in the cluster as we want it.
//
//   idle ──run()──▶ registering ──created, or there already──▶ registered ──signal──▶ stopped
//                        ▲                                          │
//                        └──── 404, or the watch says it is gone ◀──┘
//
// While registered, the wanted object is computed every 10 s and whenever something is told, and patched when it differs
// in more than heartbeats, or when five minutes have passed (reference: kubelet-contract 1.2).

import {
  Backoff,
  type EventRecorder,
  Informer,
  isKubeError,
  type KubeClient,
  nodeReference,
  paths,
  subresource,
} from "@interlink/kube";
import type { Node, NodeAddress } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";
import { Waker } from "../waker.ts";
import type { NodeHealth } from "./node-conditions.ts";
import { nodeObject, refusedLabels } from "./node-object.ts";
import type { NodeOptions } from "./node-options.ts";
import { statusPatch } from "./node-patches.ts";
import type { PingResult } from "./ping-loop.ts";
import { registerNode } from "./register-node.ts";
import { configuredOffer, offerAfterPing, type SiteOffer } from "./site-offer.ts";
import { TaintWriter } from "./taint-writer.ts";

export interface RegistrationTiming {
  /** How often the wanted object is computed; default 10 s. */
  computeMs: number;
  /** How long a status without news stays unwritten; default 5 min. */
  reportMs: number;
  /** How long a node that was ready before we started stays so while we start; default 30 s. */
  startGraceMs: number;
  /** How long after a refusal to change taints it is tried again; default 1 min. */
  refusedMs: number;
  now: () => Date;
  random: () => number;
}

export interface RegistrationParts {
  client: KubeClient;
  events: EventRecorder;
  logger: Logger;
  /** Told each time the Node object was made or found: the lease needs its UID. */
  registered: (uid: string) => void;
  timing?: Partial<RegistrationTiming>;
}

export type RegistrationState = "idle" | "registering" | "registered" | "stopped";

const defaults: RegistrationTiming = {
  computeMs: 10_000,
  reportMs: 300_000,
  startGraceMs: 30_000,
  refusedMs: 60_000,
  now: () => new Date(),
  random: Math.random,
};

export class NodeRegistration {
  #options: NodeOptions;
  readonly #parts: RegistrationParts;
  readonly #timing: RegistrationTiming;
  readonly #informer: Informer<Node>;
  readonly #firstRegistered: Promise<Node>;
  #markRegistered: (node: Node) => void = () => undefined;
  #state: RegistrationState = "idle";
  #offer: SiteOffer;
  #health: NodeHealth = {
    connectivity: { state: "unknown" },
    notReady: "the virtual node is starting",
  };
  /** The Node as the server last told it. */
  #live: Node | undefined;
  #reportAtMs = 0;
  /** Nobody has said yet whether the node takes pods. */
  #starting = true;
  #startedAtMs = 0;
  readonly #waker = new Waker();
  readonly #taints: TaintWriter;
  readonly #backoff = new Backoff({ firstMs: 200, capMs: 30_000, jitter: 0.5 });

  constructor(options: NodeOptions, parts: RegistrationParts) {
    this.#options = options;
    this.#parts = parts;
    this.#timing = { ...defaults, ...parts.timing };
    this.#offer = configuredOffer(options);
    this.#taints = new TaintWriter({
      client: parts.client,
      nodeName: options.name,
      restricted: options.restricted ?? false,
      refusedMs: this.#timing.refusedMs,
      now: this.#timing.now,
      logger: parts.logger,
    });
    this.#firstRegistered = new Promise((resolve) => {
      this.#markRegistered = resolve;
    });
    this.#informer = new Informer<Node>({
      client: parts.client,
      path: paths.nodes.collection(),
      fieldSelector: `metadata.name=${options.name}`,
    });
    this.#informer.on({
      added: (node) => this.#seen(node),
      changed: (node) => this.#seen(node),
      removed: (node) => this.#gone(node.metadata?.uid),
    });
  }

  state(): RegistrationState {
    return this.#state;
  }

  /** The Node as the server has it; undefined while there is none. */
  node(): Node | undefined {
    return this.#live;
  }

  /** Resolves with the Node when it exists for the first time. */
  registered(): Promise<Node> {
    return this.#firstRegistered;
  }

  /** The node takes pods from now on: what ran before is known. `undefined`, or the reason why it does not. */
  setNotReady(reason: string | undefined): void {
    this.#starting = false;
    if (this.#health.notReady === reason) return;
    this.#health = { ...this.#health, notReady: reason };
    this.#wakeUp();
  }

  /** The node is reached at other addresses from now on. */
  setAddresses(addresses: readonly NodeAddress[]): void {
    this.#options = { ...this.#options, addresses };
    this.#wakeUp();
  }

  /** Says something about the node, as an event on its object. */
  tell(type: "Normal" | "Warning", reason: string, message: string): void {
    this.#event(type, reason, message);
  }

  /** What the site's ping said: connectivity, and perhaps other capacity and taints. */
  pinged(result: PingResult): void {
    const { connectivity } = this.#health;
    const was = connectivity.state;
    const now = this.#timing.now().getTime();
    if (result.ok) {
      this.#health = { ...this.#health, connectivity: { state: "ok", body: result.raw } };
      this.#takeOffer(result.answer);
      if (was === "failed")
        this.#event("Normal", "InterlinkPingSuccessful", "The site answers again.");
    } else {
      const sinceMs = connectivity.state === "failed" ? connectivity.sinceMs : now;
      const error = result.error.message;
      this.#health = { ...this.#health, connectivity: { state: "failed", error, sinceMs } };
      if (was !== "failed") this.#event("Warning", "InterlinkPingFailed", `Ping failed: ${error}`);
    }
    this.#wakeUp();
  }

  /** Registers and keeps the Node right until the signal fires. Never rejects. The Node and its lease stay. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#state !== "idle") throw new Error("a registration runs once; make another");
    this.#startedAtMs = this.#timing.now().getTime();
    this.#event("Normal", "Starting", "Starting kubelet.");
    const refused = refusedLabels(this.#options);
    if (refused.length > 0)
      this.#parts.logger.warn(
        { labels: refused },
        "This node may not set these labels on itself: let an administrator do it with kubectl label node.",
      );
    const watch = this.#informer.run(signal);
    while (!signal.aborted) {
      if (this.#live === undefined) await this.#register(signal);
      else await this.#maintain(this.#live, signal);
    }
    this.#state = "stopped";
    await watch;
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { client, logger } = this.#parts;
    const { name } = this.#options;
    this.#state = "registering";
    const live = await registerNode(
      client,
      name,
      () => this.#wanted(undefined),
      (error) => logger.warn({ err: error, node: name }, "The node cannot be registered yet."),
      signal,
    );
    if (live !== undefined) this.#adopt(live);
  }

  #adopt(live: Node): void {
    const { logger, registered } = this.#parts;
    const uid = live.metadata?.uid ?? "";
    logger.info({ node: this.#options.name, uid }, "The node is registered.");
    this.#live = live;
    this.#state = "registered";
    this.#reportAtMs = 0;
    for (const reason of [
      "NodeHasSufficientMemory",
      "NodeHasNoDiskPressure",
      "NodeHasSufficientPID",
    ])
      this.#event("Normal", reason, `Node ${this.#options.name} status is now: ${reason}`);
    registered(uid);
    this.#markRegistered(live);
  }

  /** One look: patch what is to be patched, then wait for the next. */
  async #maintain(live: Node, signal: AbortSignal): Promise<void> {
    let wait = this.#timing.computeMs;
    try {
      await this.#patchTaints(live, signal);
      await this.#patchStatus(this.#live ?? live, signal);
      this.#backoff.reset();
    } catch (error) {
      if (signal.aborted) return;
      if (isKubeError(error, "not-found")) {
        this.#gone(live.metadata?.uid);
        return;
      }
      const asked = isKubeError(error) ? (error.retryAfterMs ?? 0) : 0;
      wait = Math.max(this.#backoff.next(Date.now()), asked);
      this.#parts.logger.warn({ err: error }, "The node's status was not written; trying again.");
    }
    // What is told during the patch is not slept over.
    await this.#waker.pause(wait, signal);
  }

  async #patchStatus(live: Node, signal: AbortSignal): Promise<void> {
    const wanted = this.#wanted(live);
    const { patch, onlyHeartbeats } = statusPatch(live, wanted);
    const now = this.#timing.now().getTime();
    if (patch === undefined || (onlyHeartbeats && now < this.#reportAtMs)) return;
    const path = subresource(paths.nodes.named(this.#options.name), "status");
    const { client } = this.#parts;
    this.#live = await client.patch<Node>(path, "strategic-merge", patch, { signal });
    // A change must not make all nodes that saw it report at the same moment for ever after.
    const spread = onlyHeartbeats ? 1 : 0.5 + this.#timing.random();
    this.#reportAtMs = now + this.#timing.reportMs * spread;
    this.#tellReadiness(live, wanted);
  }

  async #patchTaints(live: Node, signal: AbortSignal): Promise<void> {
    const written = await this.#taints.write(live, this.#offer.taints, signal);
    if (written.live !== live) this.#live = written.live;
    if (written.again) this.#wakeUp();
  }

  #wanted(live: Node | undefined): Node {
    const now = this.#timing.now();
    const health = this.#keepsReady(live, now)
      ? { ...this.#health, notReady: undefined }
      : this.#health;
    return nodeObject(this.#options, this.#offer, health, now, live);
  }

  /** A restart must not show: a moment of NotReady marks every pod of the node not ready, and Services drop them. */
  #keepsReady(live: Node | undefined, now: Date): boolean {
    const inGrace = now.getTime() - this.#startedAtMs < this.#timing.startGraceMs;
    return this.#starting && inGrace && live !== undefined && isReady(live);
  }

  #takeOffer(answer: Extract<PingResult, { ok: true }>["answer"]): void {
    if (answer === undefined) return;
    const { offer, problems } = offerAfterPing(this.#offer, answer);
    this.#offer = offer;
    for (const problem of problems)
      this.#parts.logger.warn({ problem }, "Part of the site's ping was not understood.");
  }

  #seen(node: Node): void {
    // Before registration has looked itself, the object may be an earlier one of the same name.
    if (this.#live?.metadata?.uid !== node.metadata?.uid) return;
    this.#tellSchedulability(this.#live, node);
    this.#live = node;
  }

  #gone(uid: string | undefined): void {
    if (this.#live === undefined || this.#live.metadata?.uid !== uid) return;
    this.#parts.logger.warn({ node: this.#options.name }, "The node was deleted; making it anew.");
    this.#live = undefined;
    this.#wakeUp();
  }

  #tellReadiness(before: Node, after: Node): void {
    if (isReady(before) === isReady(after)) return;
    const reason = isReady(after) ? "NodeReady" : "NodeNotReady";
    this.#event("Normal", reason, `Node ${this.#options.name} status is now: ${reason}`);
  }

  #tellSchedulability(before: Node | undefined, after: Node): void {
    const isCordoned = after.spec?.unschedulable === true;
    if (before === undefined || (before.spec?.unschedulable === true) === isCordoned) return;
    const reason = isCordoned ? "NodeNotSchedulable" : "NodeSchedulable";
    this.#event("Normal", reason, `Node ${this.#options.name} status is now: ${reason}`);
  }

  #event(type: "Normal" | "Warning", reason: string, message: string): void {
    this.#parts.events.record(nodeReference(this.#options.name), type, reason, message);
  }

  #wakeUp(): void {
    this.#waker.wake();
  }
}

function isReady(node: Node): boolean {
  return (
    node.status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true
  );
}
