import {
  type BackoffOptions,
  createEventRecorder,
  createKubeClient,
  type EventRecorder,
  Informer,
  isKubeError,
  type KubeClient,
  nodeReference,
  paths,
} from "@interlink/kube";
import { createInterlinkClient, inSpan } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";
import { aborting, Closing } from "./closing.ts";
import { nodeIdentity, untilAnswered } from "./cluster-identity.ts";
import { followAddress } from "./follow-address.ts";
import { createAuthenticator } from "./kubelet-api/authentication.ts";
import { createAuthorizer } from "./kubelet-api/authorization.ts";
import { type KubeletApi, startKubeletApi } from "./kubelet-api/kubelet-api.ts";
import { type KubeletTls, kubeletTls } from "./kubelet-api/kubelet-tls.ts";
import { ownAddress } from "./node-address.ts";
import { createNodeMetrics, type NodeMetrics } from "./node-metrics.ts";
import { createKubeletBackend } from "./pods/kubelet-backend.ts";
import type { PodContext } from "./pods/pod-context.ts";
import { createPodEvents } from "./pods/pod-events.ts";
import { PodManager } from "./pods/pod-manager.ts";
import { DEFAULT_POD_TIMING } from "./pods/timing.ts";
import { nodeAddresses, nodeOptions } from "./registration/configured-node.ts";
import { startLeaseKeeper } from "./registration/lease-keeper.ts";
import { DEFAULT_CAPACITY } from "./registration/node-options.ts";
import { NodeRegistration } from "./registration/node-registration.ts";
import { type OwnIdentity, ownIdentity } from "./registration/own-identity.ts";
import {
  defaultPingTiming,
  type PingLoop,
  type PingResult,
  startPingLoop,
} from "./registration/ping-loop.ts";
import { createInterlinkSite } from "./remote/interlink-site.ts";
import { observedClient } from "./remote/observed-client.ts";
import type { RemoteSite } from "./remote/remote-site.ts";
import { createObjectReader } from "./resolve/object-reader.ts";
import { createObjectWatches } from "./resolve/object-watches.ts";
import { DEFAULT_TOKEN_TIMING } from "./resolve/pod-tokens.ts";
import { connectionTold, whenAnsweredAgain } from "./site-connection.ts";
import type { SiteSource, VirtualNodeOptions } from "./virtual-node-options.ts";

const KUBELET_PORT = 10_250;

/** One watch asks little of a server that comes back, and every pod waits for it. */
const WATCH_BACKOFF: BackoffOptions = { firstMs: 500, capMs: 4000, jitter: 0.5 };

/** A virtual node that runs. */
export interface VirtualNode extends AsyncDisposable {
  readonly nodeName: string;
  /** Where the kubelet API listens. */
  readonly kubeletPort: number;
  /** Stops everything of ours. No pod and no job is touched; the Node object stays and becomes NotReady by itself. */
  close(): Promise<void>;
}

/**
 * Starts a virtual node: the kubelet API listens, the node registers, all its pods are listed, what runs at the site is
 * taken over; only then is the node Ready (kubelet-contract.md 2.3). Resolves at that point, however long the API
 * server takes; a site that is away holds nothing up. Rejects when the options are wrong or `signal` fires.
 */
export async function startVirtualNode(options: VirtualNodeOptions): Promise<VirtualNode> {
  const closing = new Closing(options.signal);
  try {
    return await start(options, closing);
  } catch (error) {
    await closing.close();
    throw error;
  }
}

async function start(options: VirtualNodeOptions, closing: Closing): Promise<VirtualNode> {
  const { nodeName, logger } = options;
  const { signal } = closing;
  const nodeAddress = options.nodeAddress ?? ownAddress();
  const identity = await ownIdentity(options);
  const limits = options.kubeRate === undefined ? {} : { rateLimit: options.kubeRate };
  const client = await inSpan(options.tracer, "InitClientSet", {}, async () =>
    createKubeClient(identity.credentials, limits),
  );
  closing.last(() => client.close());
  closing.runs(identity.keepValid(client, signal));
  let pods: PodManager | undefined;
  const metrics = createNodeMetrics(() => pods?.counts() ?? {});
  const jobOf = (uid: string) => pods?.jobOf(uid);
  const site = siteOf(options.site, options, { metrics, jobOf }, closing);
  const events = createEventRecorder({
    client,
    host: nodeName,
    ...(options.eventRate === undefined ? {} : { rate: options.eventRate }),
    problem: (err, { kind, namespace, name, uid } = {}) => {
      const about = kind === "Pod" ? { pod: `${namespace}/${name}`, uid } : {};
      logger.warn({ err, ...about }, "an event was not written");
    },
  });
  closing.last(() => events.close());

  const owner = await untilAnswered(
    () => nodeIdentity(client, nodeName, identity.restricted, signal),
    noAnswer(client, logger),
    signal,
  ).catch((error: unknown) => {
    if (isKubeError(error, "forbidden")) return undefined;
    throw error;
  });
  if (owner === undefined) {
    logger.warn("namespace kube-system cannot be read; jobs without a pod are left alone");
  }
  const configured = { ...DEFAULT_CAPACITY, ...options.capacity };
  let registered: NodeRegistration | undefined;
  // What a site's ping offers counts from the moment at which the cluster knows it.
  const allocatable = () => registered?.node()?.status?.allocatable ?? configured;
  const manager = podManager(
    options,
    { client, site, events, owner, nodeAddress, allocatable, node: () => registered?.node() },
    closing,
  );
  pods = manager;
  const { restricted } = identity;
  const { api: kubelet, tls } = await kubeletApi(
    options,
    { client, site, events, manager, metrics, nodeAddress, allocatable, restricted },
    closing,
  );

  const { registration, pings } = await register(
    options,
    { client, site, events, manager, nodeAddress, kubelet, identity },
    closing,
  );
  registered = registration;
  const readdressed = (address: string): void => {
    logger.warn({ address }, "this machine has another address; the node is reached there now");
    registration.setAddresses(nodeAddresses(address));
    tls.setHosts([address]);
  };
  if (options.nodeAddress === undefined)
    closing.runs(followAddress(nodeAddress, readdressed, signal));
  await aborting(registration.registered(), signal);
  await inSpan(options.tracer, "GetPodsVK", {}, () =>
    inSpan(options.tracer, "RetrievePodsFromCluster", {}, () =>
      listPods(client, manager, options, closing),
    ),
  );
  manager.begin(connectionTold(logger, metrics, () => pings.pingNow()));
  registration.setNotReady(undefined);
  logger.info(
    { node: nodeName, kubeletPort: kubelet.port, pods: manager.pods().length },
    "the node takes pods",
  );

  closing.started();
  const close = (): Promise<void> => closing.close();
  return { nodeName, kubeletPort: kubelet.port, close, [Symbol.asyncDispose]: close };
}

function noAnswer(client: KubeClient, logger: Logger): (err: Error) => void {
  return (err) =>
    logger.warn({ err, server: client.server }, "the Kubernetes API does not answer yet");
}

function siteOf(
  source: SiteSource,
  { intervals, logger, tracer }: VirtualNodeOptions,
  { metrics, jobOf }: { metrics: NodeMetrics; jobOf: (uid: string) => string | undefined },
  closing: Closing,
): RemoteSite {
  if ("follow" in source) return source;
  const client = observedClient(createInterlinkClient({ ...source, peer: "server" }), {
    logger,
    tracer,
    jobOf,
    called: (operation, code, seconds) => metrics.siteCalled(operation, code, seconds),
  });
  closing.last(() => client.close());
  return createInterlinkSite({
    client,
    ...(intervals?.pollMs === undefined ? {} : { pollMs: intervals.pollMs }),
    ...(intervals?.youngPollMs === undefined ? {} : { youngPollMs: intervals.youngPollMs }),
  });
}

interface Parts {
  client: KubeClient;
  site: RemoteSite;
  events: EventRecorder;
  nodeAddress: string;
}

function podManager(
  options: VirtualNodeOptions,
  parts: Parts & Pick<PodContext, "owner" | "allocatable" | "node">,
  closing: Closing,
): PodManager {
  const { logger, nodeName } = options;
  const { client } = parts;
  const now = () => performance.now();
  const watches = createObjectWatches(client);
  closing.last(() => watches[Symbol.asyncDispose]());
  const manager = new PodManager({
    ...parts,
    nodeName,
    reader: createObjectReader({
      client,
      now,
      kubernetesService: options.kubernetesService,
      tokens: { ...DEFAULT_TOKEN_TIMING, ...options.intervals?.tokens },
      servicesForbidden: (err) =>
        logger.warn({ err }, "services cannot be read; pods get no service variables"),
    }),
    watches,
    events: createPodEvents(parts.events),
    logger,
    timing: { ...DEFAULT_POD_TIMING, ...options.intervals?.pods },
    jobscriptURL: options.jobscriptURL ?? "",
    annotateJobs: options.annotateJobs ?? true,
    now,
    wall: () => new Date(),
    random: Math.random,
    checkpoint: options.checkpoint ?? (() => undefined),
  });
  closing.last(() => manager.close());
  return manager;
}

async function kubeletApi(
  options: VirtualNodeOptions,
  parts: Parts & {
    manager: PodManager;
    metrics: NodeMetrics;
    allocatable: () => Record<string, string>;
    restricted: boolean;
  },
  closing: Closing,
): Promise<{ api: KubeletApi; tls: KubeletTls }> {
  const { kubelet = {}, nodeName, logger } = options;
  const { client, manager, site, metrics, nodeAddress } = parts;
  const { signal } = closing;
  const startTime = new Date().toISOString();
  const tls = await kubeletTls(kubelet, {
    nodeName,
    hosts: [nodeAddress],
    restricted: parts.restricted,
    certificateDirectory: options.certificateDirectory,
    client,
    tell: (...event) => parts.events.record(nodeReference(nodeName), ...event),
    logger,
    answered: (ask) => untilAnswered(ask, noAnswer(client, logger), signal),
    signal,
  });
  const { certificate, clientCaPem } = tls;
  const listen = async (port: number): Promise<KubeletApi> =>
    startKubeletApi({
      ...(kubelet.host === undefined ? {} : { host: kubelet.host }),
      port,
      certificate,
      ...(clientCaPem === undefined ? {} : { clientCaPem }),
      authenticate: createAuthenticator(client),
      authorize: createAuthorizer(client, nodeName),
      backend: createKubeletBackend(manager, site),
      node: { name: nodeName, startTime, capacity: parts.allocatable },
      metrics: metrics.registry,
      logger,
    });
  const api = await listen(kubelet.port ?? KUBELET_PORT).catch((error: unknown) => {
    // The node says where its kubelet is; only who asked for a port must get that one.
    const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    if (kubelet.port !== undefined || !isTaken) throw error;
    logger.info({ port: KUBELET_PORT }, "the usual port is taken; the kubelet API takes another");
    return listen(0);
  });
  closing.last(() => api.close());
  closing.runs(tls.follow(api));
  return { api, tls };
}

/** The node object, its lease and the pings; all three go on until the end. */
async function register(
  options: VirtualNodeOptions,
  parts: Parts & { manager: PodManager; kubelet: KubeletApi; identity: OwnIdentity },
  closing: Closing,
): Promise<{ registration: NodeRegistration; pings: PingLoop }> {
  const { logger, nodeName } = options;
  const { client, events, site, manager, nodeAddress, kubelet, identity } = parts;
  const { source, restricted } = identity;
  const wanted = await nodeOptions(options, nodeAddress, kubelet.port, restricted);
  const lease = startLeaseKeeper({ credentials: source, nodeName, logger });
  closing.last(() => lease[Symbol.asyncDispose]());
  const registration = new NodeRegistration(wanted, {
    client,
    events,
    logger,
    registered: (uid) => lease.nodeIs(uid),
  });
  closing.runs(registration.run(closing.signal));
  const timing = { ...defaultPingTiming, ...options.intervals?.ping };
  const answeredAgain = whenAnsweredAgain(() => manager.siteAnswers());
  const pinged = (result: PingResult): void => {
    registration.pinged(result);
    answeredAgain(result);
  };
  const pings = startPingLoop(site, pinged, closing.signal, timing);
  closing.runs(pings.ended);
  return { registration, pings };
}

/** Follows the pods of this node; resolves when the manager has been told all that exist. */
async function listPods(
  client: KubeClient,
  manager: PodManager,
  { nodeName, logger }: VirtualNodeOptions,
  closing: Closing,
): Promise<void> {
  const informer = new Informer<Pod>({
    client,
    path: paths.pods.collection(),
    fieldSelector: `spec.nodeName=${nodeName}`,
    // What is missing from this list and runs at the site is an orphan: a stale list would not do.
    consistentStart: true,
    timing: { backoff: WATCH_BACKOFF },
    hooks: { problem: (err) => logger.warn({ err }, "the watch of pods has a problem") },
  });
  informer.on({
    added: (pod) => manager.seen(pod),
    changed: (pod) => manager.seen(pod),
    removed: (pod) => manager.removed(pod),
  });
  closing.runs(informer.run(closing.signal));
  await aborting(informer.synced, closing.signal);
}
