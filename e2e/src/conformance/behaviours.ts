/** One thing that Kubernetes' conformance and node tests expect of a node. */
export interface Behaviour {
  /** 1…93, as in kubelet-contract.md section 7. */
  id: number;
  /** What a user can count on. */
  title: string;
}

export interface BehaviourGroup {
  title: string;
  behaviours: readonly Behaviour[];
}

const titles: readonly (readonly [group: string, first: number, titles: readonly string[]])[] = [
  [
    "Pod lifecycle and status",
    1,
    [
      "A pod is created, runs, is deleted with grace, and a watch sees every step",
      "A changed label is there at once; the pod runs on",
      "A deadline that is lowered on a running pod ends it with DeadlineExceeded",
      "A running pod has a hostIP",
      "Pods are deleted by label, all of them, within a minute",
      "What somebody else writes into the status stays",
      "Conditions and watch events come in order; Ready recovers from a foreign False",
      "A command that always fails has a reason in its terminated state",
      "A failing pod can be deleted",
      "Every restart policy gives the phase, the restart count and Ready that it should, for every exit",
      "The QoS class of a pod stays what Kubernetes set",
      "observedGeneration follows every change of the spec, also 500 of them",
      "The generation goes up by one on a graceful delete and is Kubernetes' own",
      "A pod that is deleted at any moment before its start never reports success",
      "No container starts after an init container failed",
      "A pod that uses more storage than it may is evicted, and that is final",
      "A finished pod never runs again; a rejected one is complete too",
      "A negative grace period is one second",
      "The conditions of a pod come in order, with and without init containers",
      "Readiness gates: Ready only when somebody has said so, and not when it is taken back",
      "The restart back-off has a cap, and begins anew with a new image",
      "A pod for another operating system is rejected with PodOSNotSupported",
      "A pod that the node has no room for is rejected with its reason",
      "Foreign Node objects come, change and go without a trace on this one",
      "The lease is there, owned by the node, renewed; the status is written rarely",
      "NoExecute taints evict after the tolerated time; taken back, they do not",
      "The kubelet's and the scheduler's events of a pod are found",
    ],
  ],
  [
    "Init containers and sidecars",
    28,
    [
      "Init containers run in order before a pod that restarts always",
      "Init containers run in order before a pod that restarts never",
      "A failed init container fails a pod that restarts never; nothing else starts",
      "An init container that keeps failing is restarted; nothing else starts",
      "Sidecars start in order, restart, outlive the others and stop last, in reverse",
      "Probes of sidecars work, and readiness of a sidecar counts",
    ],
  ],
  [
    "Probes and hooks",
    34,
    [
      "A failing exec liveness probe restarts the container",
      "A passing exec liveness probe never does",
      "A failing HTTP liveness probe restarts the container",
      "A passing HTTP liveness probe never does",
      "A passing TCP liveness probe never restarts the container",
      "A passing gRPC liveness probe never restarts the container",
      "A failing gRPC liveness probe restarts the container",
      "The restart count only goes up",
      "A pod is not ready before its initial delay, and is not restarted",
      "A failing readiness probe keeps the pod unready and does not restart it",
      "Startup probes, the grace period of a probe, timeouts of exec probes, redirects, readiness while terminating",
      "postStart runs, by exec and HTTP",
      "preStop runs, by exec and HTTP",
      "preStop is called when a pod is killed",
      "The sleep action waits, within the grace period",
    ],
  ],
  [
    "Commands, environment, downward API",
    49,
    [
      "The image's own command and arguments",
      "Arguments override those of the image",
      "A command overrides that of the image",
      "Command and arguments override both",
      "Variables are composed of others",
      "Variables are expanded in arguments",
      "Variables are expanded in the command",
      "subPathExpr takes variables",
      "Backticks in subPathExpr fail",
      "An absolute subPathExpr fails",
      "A failing subPathExpr recovers when the annotation behind it changes",
      "What is written below a subPath is found there",
      "ConfigMaps as variables, one by one and whole, with prefixes",
      "Secrets as variables, one by one and whole, with prefixes",
      "Variables of services that were there before the pod",
      "Downward variables: names, addresses, UID, limits and requests, also by default",
      "/etc/hosts is managed, with host aliases",
      "A variable from a file",
    ],
  ],
  [
    "Volumes",
    67,
    [
      "ConfigMap volumes: modes, paths, binary data, several at once, for another user",
      "Optional ConfigMaps and Secrets that come, change and go",
      "A changed ConfigMap or Secret reaches the running pod",
      "Immutable ConfigMaps and Secrets",
      "Secret volumes: modes, paths, fsGroup, the same name in another namespace",
      "Projected volumes, each source and all at once",
      "Downward volumes: names, resources, modes; labels and annotations follow changes",
      "emptyDir: modes, users, memory, shared by containers",
      "subPath of ConfigMap, Secret, projected and downward volumes",
      "Service account tokens: mounted, bound, projected, opted out; the root certificate is in every namespace",
      "A pod with a missing object waits, and does not fail",
    ],
  ],
  [
    "Streams and kubectl",
    78,
    [
      "Logs: whole, tail, bytes, time stamps, since",
      "exec: by WebSocket and by kubectl, with standard input and exit code",
      "Termination messages: from the file, from the log, empty on success",
      "attach, run --rm, port-forward and cp; describe, label, patch, replace, diff",
      "The proxies of pods, services and nodes",
    ],
  ],
  [
    "Security",
    83,
    [
      "Users, groups, privileges, read-only root, runAsNonRoot, supplementary groups, seccomp",
      "Safe sysctls are set; others are rejected with SysctlForbidden",
      "A RuntimeClass that is not known says so; overhead counts",
    ],
  ],
  ["Images", 86, ["Private registries, missing images, and every pull policy"]],
  [
    "Network",
    87,
    [
      "Pods reach one another and services reach pods by address",
      "Two pods do not get the same hostPort",
    ],
  ],
  [
    "Controllers",
    89,
    [
      "Jobs: completions, failures by their rules, suspended, deleted pods",
      "CronJob, ReplicaSet, Deployment, StatefulSet, DaemonSet, disruption budgets, quotas, scheduling",
      "Garbage collection, aggregation, webhooks",
    ],
  ],
  [
    "Resize and ephemeral containers",
    92,
    ["A resize of a running pod is answered", "An ephemeral container runs beside the others"],
  ],
];

/** All 93, in groups. */
export const behaviourGroups: readonly BehaviourGroup[] = titles.map(
  ([title, first, behaviours]) => ({
    title,
    behaviours: behaviours.map((words, index) => ({ id: first + index, title: words })),
  }),
);

export function behaviourOf(id: number): Behaviour {
  const found = behaviourGroups
    .flatMap(({ behaviours }) => behaviours)
    .find((one) => one.id === id);
  if (found === undefined) throw new Error(`There is no behaviour ${id}`);
  return found;
}
