import { X509Certificate } from "node:crypto";
import {
  type CredentialSource,
  createKubeClient,
  isKubeError,
  type KubeClient,
  loadKubeCredentials,
  NODE_LEASE_NAMESPACE,
  paths,
} from "@interlink/kube";
import { NODE_TYPE_LABEL, PING_ANNOTATION, SITE_ANNOTATION } from "@interlink/protocol";
import type { Lease } from "kubernetes-types/coordination/v1.js";
import type { Event, Node, Pod } from "kubernetes-types/core/v1.js";
import { answered, PROBE_MS } from "./answered.ts";
import type { Answered, ClusterFacts, NodeFacts } from "./facts.ts";

const MOST_WARNINGS = 5;

/** Asks the cluster of these credentials, and what it knows of the node. Never throws. */
export async function probeCluster(
  source: CredentialSource,
  named: string | undefined,
  signal: AbortSignal,
  now: () => number,
): Promise<ClusterFacts> {
  const known = named === undefined ? {} : { nodeName: named };
  const credentials = await answered(() => loadKubeCredentials(source));
  if (!credentials.ok) return { ...known, version: credentials };
  const expires = await answered(async () => endOf((await credentials.value.tls()).cert));
  const client = createKubeClient(credentials.value, { retries: 0 });
  try {
    const facts: ClusterFacts = {
      ...known,
      server: client.server,
      ...(expires.ok && expires.value !== undefined ? { credentialsExpire: expires.value } : {}),
      version: await answered(async () => {
        const { gitVersion } = await client.get<{ gitVersion: string }>("/version", {
          signal,
          timeoutMs: PROBE_MS,
        });
        return gitVersion;
      }),
    };
    if (!facts.version.ok) return facts;
    const all = named === undefined ? await virtualNodes(client, signal) : [named];
    const [nodeName] = all;
    if (nodeName === undefined || all.length > 1) return { ...facts, virtualNodes: all };
    return { ...facts, nodeName, ...(await nodeAndPods(client, nodeName, signal, now)) };
  } finally {
    await client.close();
  }
}

/** Names of the nodes that say of themselves that they are of interLink; none where nodes may not be listed. */
async function virtualNodes(client: KubeClient, signal: AbortSignal): Promise<readonly string[]> {
  const query = { labelSelector: `${NODE_TYPE_LABEL.name}=${NODE_TYPE_LABEL.value}` };
  const options = { signal, timeoutMs: PROBE_MS, query };
  const nodes = await answered(() => client.list<Node>(paths.nodes.collection(), options));
  return nodes.ok ? nodes.value.items.map(({ metadata }) => metadata?.name ?? "").toSorted() : [];
}

async function nodeAndPods(
  client: KubeClient,
  nodeName: string,
  signal: AbortSignal,
  now: () => number,
): Promise<Pick<ClusterFacts, "node" | "pods" | "warnings">> {
  const options = { signal, timeoutMs: PROBE_MS };
  const fieldSelector = `spec.nodeName=${nodeName}`;
  const listed = answered(() =>
    client.list<Pod>(paths.pods.collection(), { ...options, query: { fieldSelector } }),
  );
  const events = answered(() =>
    client.list<Event>(paths.events.collection(), { ...options, query: { limit: 2_000 } }),
  );
  const [node, pods, all] = await Promise.all([
    answered(() => readNode(client, nodeName, signal, now)),
    listed,
    events,
  ]);
  const names = pods.ok
    ? new Set(pods.value.items.map(({ metadata }) => metadata?.uid ?? ""))
    : new Set<string>();
  return {
    node,
    pods: mapAnswer(pods, ({ items }) => countPhases(items)),
    warnings: mapAnswer(all, ({ items }) => lastWarnings(items, nodeName, names)),
  };
}

async function readNode(
  client: KubeClient,
  name: string,
  signal: AbortSignal,
  now: () => number,
): Promise<NodeFacts | undefined> {
  const options = { signal, timeoutMs: PROBE_MS };
  const node = await found(client.get<Node>(paths.nodes.named(name), options));
  if (node === undefined) return undefined;
  const lease = await answered(() =>
    client.get<Lease>(paths.leases.named(NODE_LEASE_NAMESPACE, name), options),
  );
  const renewed = lease.ok ? Date.parse(String(lease.value.spec?.renewTime)) : Number.NaN;
  const condition = (type: string) => node.status?.conditions?.find((one) => one.type === type);
  const [ready, connectivity] = [condition("Ready"), condition("InterlinkConnectivity")];
  return {
    ready: ready?.status ?? "Unknown",
    ...(ready?.message === undefined ? {} : { readyMessage: ready.message }),
    ...(connectivity === undefined ? {} : { connectivity: connectivity.status }),
    ...(connectivity?.message === undefined ? {} : { connectivityMessage: connectivity.message }),
    ...(node.status?.nodeInfo?.kubeletVersion === undefined
      ? {}
      : { version: node.status.nodeInfo.kubeletVersion }),
    capacity: { ...node.status?.allocatable },
    ...annotated("site", node.metadata?.annotations?.[SITE_ANNOTATION]),
    ...annotated("ping", node.metadata?.annotations?.[PING_ANNOTATION]),
    isCordoned: node.spec?.unschedulable === true,
    ...(Number.isNaN(renewed) ? {} : { leaseAgeSeconds: Math.round((now() - renewed) / 1_000) }),
  };
}

function annotated(name: "site" | "ping", text: string | undefined): Partial<NodeFacts> {
  return text === undefined || text === "" ? {} : { [name]: text };
}

/** How many pods of each phase. */
export function countPhases(pods: readonly Pod[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of pods) {
    const phase = status?.phase ?? "Unknown";
    counts[phase] = (counts[phase] ?? 0) + 1;
  }
  return counts;
}

/** The newest warnings about the node and these pods, by UID. */
export function lastWarnings(
  events: readonly Event[],
  nodeName: string,
  pods: ReadonlySet<string>,
): { when: string; about: string; message: string }[] {
  return events
    .filter(
      ({ type, involvedObject: about }) =>
        type === "Warning" &&
        (about.kind === "Node" ? about.name === nodeName : pods.has(about.uid ?? "")),
    )
    .map(({ involvedObject: about, reason, message, ...times }) => ({
      when: times.lastTimestamp ?? times.eventTime ?? times.firstTimestamp ?? "",
      about: about.kind === "Node" ? nodeName : `${about.namespace}/${about.name}`,
      message: `${reason}: ${message}`,
    }))
    .toSorted((a, b) => b.when.localeCompare(a.when))
    .slice(0, MOST_WARNINGS);
}

async function found<T>(question: Promise<T>): Promise<T | undefined> {
  try {
    return await question;
  } catch (error) {
    if (isKubeError(error, "not-found")) return undefined;
    throw error;
  }
}

function endOf(pem: string | undefined): string | undefined {
  return pem === undefined ? undefined : new Date(new X509Certificate(pem).validTo).toISOString();
}

function mapAnswer<T, U>(answer: Answered<T>, change: (value: T) => U): Answered<U> {
  return answer.ok ? { ok: true, value: change(answer.value) } : answer;
}
