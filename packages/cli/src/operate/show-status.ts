import type { Answered, ClusterFacts, Facts, PeerFacts } from "./facts.ts";
import { printable } from "./printable.ts";

/** The hops from the cluster to the resource, a block each, for people. */
export function showStatus(facts: Facts): string {
  const { cluster, site, plugin, token, slurm } = facts;
  const blocks = [
    ...(cluster === undefined ? [] : [clusterBlock(cluster)]),
    ...(site === undefined ? unknownSite(facts) : [siteBlock(site, token)]),
    ...(plugin === undefined ? [] : [peerBlock("plugin", plugin)]),
    ...(slurm === undefined
      ? []
      : [
          block("Slurm", slurm.file, [
            ["partitions", said(slurm.partitions, (all) => all.join(", "))],
          ]),
        ]),
  ];
  return `${blocks.join("\n\n")}\n`;
}

/** Whether every hop that was asked answered. */
export function everyHopAnswers({ cluster, site, plugin, slurm, configuration }: Facts): boolean {
  const isUp = (peer: PeerFacts | undefined): boolean =>
    peer === undefined || peer.isNodes === true || (peer.contact.ok && peer.ping?.ok === true);
  return (
    (configuration?.problems.length ?? 0) === 0 &&
    isUp(site) &&
    isUp(plugin) &&
    (slurm === undefined || slurm.partitions.ok) &&
    (cluster === undefined || isClusterUp(cluster))
  );
}

function isClusterUp({ version, node }: ClusterFacts): boolean {
  if (!version.ok) return false;
  return node === undefined || !node.ok || node.value?.ready === "True";
}

type Row = [string, string];
/** Of an answer to a ping, in characters. */
const MOST_PING = 300;

/** What has to be said for the API server to be asked as well. */
function unknownSite({ cluster, plugin, slurm }: Facts): string[] {
  if (cluster === undefined || plugin !== undefined || slurm !== undefined) return [];
  const how =
    "give --site, with --token-file if it wants one, or --config with the node's file to ask it too";
  return [block("API server", "", [["state", `not known here: ${how}`]])];
}

/** One that the node has told is shown for what it is from here. */
function siteBlock(site: PeerFacts, token: Facts["token"]): string {
  if (site.isNodes !== true) return peerBlock("API server", site, tokenLines(token));
  const { address, contact } = site;
  if (site.ping?.ok === true) return peerBlock("API server", site);
  const state = contact.ok ? "reached; it does not tell strangers more" : "not reached from here";
  const how = `for more: --site ${address}, with --token-file and --site-ca as the node has them`;
  const where = contact.ok ? how : `${how}, from where the node runs`;
  return block("API server", address, [
    ["state", `${state}; what the node hears of it stands above`],
    ["more", where],
  ]);
}

function clusterBlock(facts: ClusterFacts): string {
  const {
    server = "",
    version,
    credentialsExpire,
    nodeName,
    node,
    pods,
    warnings,
    virtualNodes,
  } = facts;
  const rows: Row[] = [["Kubernetes", said(version, (text) => text)]];
  if (credentialsExpire !== undefined)
    rows.push(["credentials", `good until ${credentialsExpire}`]);
  const cluster = block("cluster", server, rows);
  if (virtualNodes !== undefined && virtualNodes.length > 1) {
    const which = `give --name to ask about one: ${virtualNodes.join(", ")}`;
    return `${cluster}\n\n${block("node", "", [["state", `there are several; ${which}`]])}`;
  }
  if (nodeName === undefined || node === undefined) {
    return `${cluster}\n\n${block("node", "", [["state", "no virtual node is known; give --name"]])}`;
  }
  const lines: Row[] =
    node.ok && node.value !== undefined
      ? [
          ["ready", withWhy(node.value.ready, node.value.readyMessage)],
          ["site", withWhy(node.value.connectivity ?? "not told", node.value.connectivityMessage)],
          ["version", node.value.version ?? "not told"],
          ["last heard of", age(node.value.leaseAgeSeconds)],
          ["capacity", showPairs(node.value.capacity)],
          ...(node.value.ping === undefined
            ? []
            : [["last ping", node.value.ping.slice(0, MOST_PING)] satisfies Row]),
        ]
      : [["state", node.ok ? "there is none of this name" : failed(node)]];
  if (pods !== undefined) lines.push(["pods", said(pods, showPairs)]);
  const events = warnings?.ok === true ? warnings.value : [];
  lines.push(
    ...events.map(({ when, about, message }): Row => ["warning", `${when} ${about}: ${message}`]),
  );
  return `${cluster}\n\n${block("node", nodeName, lines)}`;
}

function peerBlock(title: string, facts: PeerFacts, more: Row[] = []): string {
  const { address, contact, capabilities, ping } = facts;
  if (!contact.ok) return block(title, address, [["state", failed(contact)], ...more]);
  const rows: Row[] = [["state", "reached"]];
  if (capabilities !== undefined) {
    rows.push(["version", said(capabilities, (one) => one?.agent ?? "the base protocol")]);
  }
  const { certificate } = contact.value;
  if (certificate !== undefined) rows.push(["certificate", `good until ${certificate.notAfter}`]);
  if (ping !== undefined) {
    rows.push(["resource", said(ping, (one) => one?.status ?? "answers")]);
    if (ping.ok && ping.value?.resources !== undefined) {
      const { accelerators = [], ...plain } = ping.value.resources;
      const devices = accelerators.map((one) => [one.resourceType, one.available]);
      rows.push(["capacity", showPairs({ ...plain, ...Object.fromEntries(devices) })]);
    }
  }
  return block(title, address, [...rows, ...more]);
}

function tokenLines(token: Facts["token"]): Row[] {
  if (token === undefined) return [];
  const { file, content } = token;
  return [
    [
      "token",
      said(content, ({ empty, expires }) =>
        empty
          ? `${file} is empty`
          : expires === undefined
            ? `${file}; it does not say until when it is good`
            : `${file}; good until ${expires}`,
      ),
    ],
  ];
}

function block(title: string, name: string, rows: readonly Row[]): string {
  const width = Math.max(0, ...rows.map(([label]) => label.length));
  return [
    `${title} ${name}`.trimEnd(),
    ...rows.map(([label, text]) => `  ${label.padEnd(width)}  ${printable(text)}`),
  ].join("\n");
}

function said<T>(answer: Answered<T>, show: (value: T) => string): string {
  return answer.ok ? show(answer.value) : failed(answer);
}

function failed({ code, message }: { code: string; message: string }): string {
  return `NOT REACHED: ${message}${message.includes(code) ? "" : ` (${code})`}`;
}

function withWhy(status: string, why: string | undefined): string {
  return status === "True" || why === undefined ? status : `${status}: ${why}`;
}

function age(seconds: number | undefined): string {
  return seconds === undefined ? "not told" : `${Math.max(0, seconds)} s ago`;
}

function showPairs(pairs: Readonly<Record<string, number | string | undefined>>): string {
  const told = Object.entries(pairs).filter(([, value]) => value !== undefined);
  return told.length === 0 ? "none" : told.map(([name, value]) => `${name} ${value}`).join(", ");
}
