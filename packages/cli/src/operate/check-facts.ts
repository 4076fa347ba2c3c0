import { checkPeer } from "./check-peer.ts";
import type { ClusterFacts, Facts, FileFacts, NodeFacts, SlurmFacts, TokenFacts } from "./facts.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

const DAY_MS = 86_400_000;
/** A lease is renewed every 10 s; after 40 s the cluster calls the node lost. */
const STALE_LEASE_SECONDS = 40;

const CORRECT = "Correct the file; interlink config explain says what may stand there.";

/** Everything that the facts say, in the order in which a person would look. */
export function checkFacts(facts: Facts): Finding[] {
  const { now, configuration, token, files, site, plugin, cluster, slurm } = facts;
  return [
    ...(configuration?.problems ?? []).map((one) => problem("configuration", one, CORRECT)),
    ...(configuration?.notices ?? []).map((one) =>
      warning("configuration", one, "Nothing has to be done; leave it out to hear no more of it."),
    ),
    ...files.flatMap(checkFile),
    ...(token === undefined ? [] : checkToken(token, now)),
    ...(plugin === undefined ? [] : checkPeer("plugin", plugin, now)),
    ...(slurm === undefined ? [] : checkSlurm(slurm)),
    ...(site === undefined || site.isNodes === true ? noSite(facts) : checkPeer("site", site, now)),
    ...(cluster === undefined ? [] : checkCluster(cluster, now)),
  ];
}

/** Where only a plugin was asked, nobody misses the API server. */
function noSite({ plugin, slurm, site }: Facts): Finding[] {
  if (plugin !== undefined || slurm !== undefined) return [];
  return [
    warning(
      "site",
      "no API server is named, so none was asked",
      site === undefined
        ? "Give --site, or --config with the node's file."
        : `The node's is ${site.address}: give it as --site, with --token-file and --site-ca as the node has them.`,
    ),
  ];
}

function checkFile({ file, what, mode }: FileFacts): Finding[] {
  if (mode === undefined) {
    return [
      problem("files", `there is no file ${file} (${what})`, "Make it, or correct its name."),
    ];
  }
  const bits = mode.toString(8).padStart(4, "0");
  if ((mode & 0o007) !== 0) {
    return [
      problem(
        "files",
        `anyone on this machine can read or change ${file} (${what}, mode ${bits})`,
        `chmod 600 ${file}`,
      ),
    ];
  }
  return (mode & 0o020) === 0
    ? []
    : [
        problem(
          "files",
          `a whole group can change ${file} (${what}, mode ${bits})`,
          `chmod g-w ${file}`,
        ),
      ];
}

function checkToken({ file, content }: TokenFacts, now: string): Finding[] {
  if (!content.ok) {
    return [
      problem(
        "token",
        `${file} cannot be read: ${content.message}`,
        "Make the file, or correct --token-file (VKTokenFile); what refreshes the token may not have run yet.",
      ),
    ];
  }
  const { empty, expires } = content.value;
  if (empty) {
    return [
      problem(
        "token",
        `${file} is empty`,
        "Write the token into it; what refreshes it may have failed.",
      ),
    ];
  }
  if (expires === undefined) return [ok("token", `${file} holds a token`)];
  const leftMs = Date.parse(expires) - Date.parse(now);
  return leftMs <= 0
    ? [
        problem(
          "token",
          `the token in ${file} ended ${expires}`,
          "Get a new one; see why what refreshes it does not (kubectl logs, container refresh-token).",
        ),
      ]
    : [ok("token", `the token in ${file} is good until ${expires}`)];
}

function checkSlurm({
  partitions,
  wanted,
  defaultPartition,
  needsDefault,
  down = [],
  unusable,
}: SlurmFacts): Finding[] {
  if (!partitions.ok && unusable === true) {
    return [problem("configuration", partitions.message, CORRECT)];
  }
  if (!partitions.ok) {
    return [
      problem(
        "slurm",
        `sinfo says nothing: ${partitions.message}`,
        "Run it by hand as the plugin's user; SinfoPath names another, and slurmctld must be up (scontrol ping).",
      ),
    ];
  }
  const there = new Set(partitions.value);
  const missing = wanted.filter(({ partition }) => !there.has(partition));
  const used = new Set(wanted.map(({ partition }) => partition));
  if (needsDefault === true && defaultPartition !== undefined) used.add(defaultPartition);
  const closed = down.filter((partition) => used.has(partition));
  const findings = [
    ...missing.map(({ partition, where }) =>
      problem(
        "slurm",
        `there is no partition ${partition}, which ${where} names`,
        `Slurm has ${partitions.value.join(", ") || "none"}: name one of them, or ask who runs it.`,
      ),
    ),
    ...closed.map((partition) =>
      warning(
        "slurm",
        `the partition ${partition} is down: jobs wait`,
        "See scontrol show partition, or ask who runs it.",
      ),
    ),
    ...(needsDefault === true && defaultPartition === undefined
      ? [
          warning(
            "slurm",
            "Slurm has no default partition, and pods that name none are given none",
            "Give DefaultFlavor a flavor with --partition, or have pods name a flavor with one.",
          ),
        ]
      : []),
  ];
  if (findings.length > 0) return findings;
  return [ok("slurm", `Slurm has the partitions ${partitions.value.join(", ")}`)];
}

function checkCluster(cluster: ClusterFacts, now: string): Finding[] {
  const { version, server = "the cluster", credentialsExpire, node, nodeName, pods } = cluster;
  if (!version.ok) {
    const next =
      version.code === "unauthorized" || version.code === "credentials"
        ? "Give a kubeconfig that is good (--kubeconfig, KUBECONFIG), or leave the cluster out (--no-cluster)."
        : "See whether kubectl get nodes works with the same kubeconfig (--kubeconfig, KUBECONFIG).";
    return [problem("cluster", `${server} cannot be asked: ${version.message}`, next)];
  }
  const findings = [ok("cluster", `${server} answers: Kubernetes ${version.value}`)];
  if (credentialsExpire !== undefined) findings.push(...expiry(credentialsExpire, now));
  if (node !== undefined && nodeName !== undefined) {
    if (node.ok) findings.push(...checkNode(nodeName, node.value));
    else findings.push(notAllowed("the node", node.message));
  }
  if (pods !== undefined && !pods.ok) findings.push(notAllowed("its pods", pods.message));
  return findings;
}

function notAllowed(what: string, message: string): Finding {
  return warning(
    "cluster",
    `${what} cannot be read: ${message}`,
    "Use a kubeconfig with more rights to see the rest.",
  );
}

function expiry(end: string, now: string): Finding[] {
  const leftMs = Date.parse(end) - Date.parse(now);
  if (leftMs > 14 * DAY_MS) return [];
  return leftMs <= 0
    ? [problem("cluster", `the client certificate ended ${end}`, "Get a new kubeconfig.")]
    : [
        warning(
          "cluster",
          `the client certificate ends ${end}`,
          "A node renews its own in time if the cluster approves it; for any other, get a new kubeconfig.",
        ),
      ];
}

function checkNode(name: string, node: NodeFacts | undefined): Finding[] {
  if (node === undefined) {
    return [
      problem(
        "node",
        `the cluster has no node ${name}`,
        "Start interlink node with this name and kubeconfig; its log says why it could not register.",
      ),
    ];
  }
  const {
    ready,
    readyMessage = "",
    connectivity,
    connectivityMessage = "",
    leaseAgeSeconds,
  } = node;
  const findings: Finding[] = [];
  if (leaseAgeSeconds !== undefined && leaseAgeSeconds > STALE_LEASE_SECONDS) {
    findings.push(
      problem(
        "node",
        `${name} was last heard of ${leaseAgeSeconds} s ago`,
        "Start interlink node again; its jobs run on meanwhile, and it takes them over.",
      ),
    );
  } else if (leaseAgeSeconds !== undefined && leaseAgeSeconds < -30) {
    findings.push(
      problem(
        "node",
        `the node's clock is ${-leaseAgeSeconds} s ahead of this machine's`,
        "Set the wrong one by NTP (timedatectl set-ntp true).",
      ),
    );
  }
  if (ready !== "True") {
    findings.push(
      problem(
        "node",
        `${name} is not ready: ${readyMessage || ready}`,
        `kubectl describe node ${name}, and the log of interlink node, say more.`,
      ),
    );
  }
  if (connectivity !== undefined && connectivity !== "True") {
    findings.push(
      problem(
        "node",
        `${name} does not reach its site: ${connectivityMessage || connectivity}`,
        "See what is said of the site; asked from the node's own machine or pod, it may be another answer than from here.",
      ),
    );
  }
  if (node.isCordoned) {
    findings.push(
      warning("node", `${name} is cordoned: no pod goes there`, `kubectl uncordon ${name}`),
    );
  }
  return findings.length > 0 ? findings : [ok("node", `${name} is ready and reaches its site`)];
}
