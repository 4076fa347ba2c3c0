import type { NodeAddress, Taint } from "kubernetes-types/core/v1.js";

/** What a virtual node is, as configured. */
export interface NodeOptions {
  /** A lowercase DNS-1123 subdomain. */
  name: string;
  /** Of this program, `X.Y.Z`; shown as `v1.31.0-interlink-X.Y.Z`, because tools parse a kubelet's version. */
  version: string;
  /** Resource name → quantity; missing standard ones are filled from {@link DEFAULT_CAPACITY}. */
  capacity: Readonly<Record<string, string>>;
  /** What the API server dials for logs; the host name is added by itself. */
  addresses: readonly NodeAddress[];
  /** Port of the kubelet API. */
  kubeletPort: number;
  labels?: Readonly<Record<string, string>>;
  /** Register cordoned: no pod is scheduled to the node until `kubectl uncordon`. Default false. */
  cordoned?: boolean;
  /**
   * The node calls itself `system:node:NAME`, so that admission lets it set only some labels, and taints only when it
   * makes the Node object. Default false.
   */
  restricted?: boolean;
  /** Of the API server; shown at the Node object for people who look after it. */
  siteAddress?: string;
  /** Beside the taint that every virtual node has. A site's ping may replace them. */
  taints?: readonly Taint[];
  /** Leave out {@link VIRTUAL_NODE_TAINT}, so that pods come here without asking. Default: it is set. */
  defaultTaint?: boolean;
  /** Of the remote resource; default `amd64`. */
  architecture?: string;
  /** Resource name → model, for the labels that GPU users select by: `nvidia.com/gpu` → `A100`. */
  acceleratorModels?: Readonly<Record<string, string>>;
  /** `type://version` of the remote runtime, if it is known; default `interlink://VERSION`. */
  containerRuntimeVersion?: string;
  /**
   * How long the site may be silent before the node is NotReady. Unset: for ever, so that a glitch at the site never
   * makes Kubernetes evict its pods (after NotReady and five more minutes it would); new pods then wait on the node.
   */
  notReadyAfterSeconds?: number;
}

/** What existing virtual nodes offer when nothing is configured; without storage no pod that asks for it would fit. */
export const DEFAULT_CAPACITY: Readonly<Record<string, string>> = {
  cpu: "100",
  memory: "3000G",
  pods: "10000",
  "ephemeral-storage": "1Ti",
};

/** The taint of every virtual node: pods come here only when they tolerate it. */
export const VIRTUAL_NODE_TAINT: Taint = {
  key: "virtual-node.interlink/no-schedule",
  value: "true",
  effect: "NoSchedule",
};

/** The Kubernetes minor version whose kubelet this node behaves like. */
const KUBELET_VERSION = "v1.31.0";

export function kubeletVersion(version: string): string {
  return `${KUBELET_VERSION}-interlink-${version}`;
}
