import { NODE_TYPE_LABEL, PING_ANNOTATION, SITE_ANNOTATION } from "@interlink/protocol";
import type { Node, NodeAddress } from "kubernetes-types/core/v1.js";
import { type NodeHealth, nodeConditions } from "./node-conditions.ts";
import { kubeletVersion, type NodeOptions } from "./node-options.ts";
import { mayLabelItself } from "./node-restriction.ts";
import { type SiteOffer, taintId } from "./site-offer.ts";

/** Taints (`key:effect`, comma-separated) that we put on the node, so that a later run can take them off again. */
export const TAINTS_ANNOTATION = "virtual-node.interlink/applied-taints";
/** Labels that the configuration gave, for the same reason. */
export const LABELS_ANNOTATION = "virtual-node.interlink/applied-labels";
/** Resources that we offered, for the same reason. */
export const RESOURCES_ANNOTATION = "virtual-node.interlink/applied-resources";

const PING_LIMIT = 16 * 1024;

/**
 * The Node object that we want, whole: metadata, spec and status as for a create. `before` is what the server has, if
 * it has one; times of conditions that did not flip come from it.
 */
export function nodeObject(
  options: NodeOptions,
  offer: SiteOffer,
  health: NodeHealth,
  now: Date,
  before?: Node,
): Node {
  const resources = { ...offer.capacity };
  const labels = nodeLabels(options);
  const { connectivity } = health;
  const ping = connectivity.state === "ok" ? connectivity.body.slice(0, PING_LIMIT) : "";
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: options.name,
      labels,
      annotations: {
        [PING_ANNOTATION]: ping,
        ...(options.siteAddress === undefined
          ? {}
          : { [SITE_ANNOTATION]: shownAddress(options.siteAddress) }),
        [TAINTS_ANNOTATION]: offer.taints.map(taintId).join(","),
        [LABELS_ANNOTATION]: Object.keys(options.labels ?? {})
          .filter((label) => label in labels)
          .join(","),
        [RESOURCES_ANNOTATION]: Object.keys(offer.capacity).join(","),
      },
    },
    spec: {
      taints: [...offer.taints],
      ...(options.cordoned === true ? { unschedulable: true } : {}),
    },
    status: {
      capacity: resources,
      allocatable: resources,
      conditions: nodeConditions(
        health,
        options.notReadyAfterSeconds,
        before?.status?.conditions ?? [],
        now,
      ),
      addresses: nodeAddresses(options),
      daemonEndpoints: { kubeletEndpoint: { Port: options.kubeletPort } },
      nodeInfo: {
        architecture: options.architecture ?? "amd64",
        operatingSystem: "linux",
        kubeletVersion: kubeletVersion(options.version),
        kubeProxyVersion: "",
        containerRuntimeVersion:
          options.containerRuntimeVersion ?? `interlink://${options.version}`,
        osImage: "interLink virtual node",
        kernelVersion: "",
        machineID: "",
        systemUUID: "",
        bootID: "",
      },
    },
  };
}

/** The labels of {@link wantedLabels} that the node may set itself. */
function nodeLabels(options: NodeOptions): Record<string, string> {
  const wanted = Object.entries(wantedLabels(options));
  return Object.fromEntries(
    wanted.filter(([label]) => options.restricted !== true || mayLabelItself(label)),
  );
}

/** Configured labels that this node may not set, so that somebody else has to. */
export function refusedLabels({ restricted, labels = {} }: NodeOptions): string[] {
  return restricted === true ? Object.keys(labels).filter((label) => !mayLabelItself(label)) : [];
}

/** The labels that schedulers, load balancers and existing interLink manifests select virtual nodes by. */
function wantedLabels(options: NodeOptions): Record<string, string> {
  const architecture = options.architecture ?? "amd64";
  return {
    "kubernetes.io/hostname": options.name,
    "kubernetes.io/os": "linux",
    "kubernetes.io/arch": architecture,
    "beta.kubernetes.io/os": "linux",
    "beta.kubernetes.io/arch": architecture,
    "kubernetes.io/role": "agent",
    type: "virtual-kubelet",
    [NODE_TYPE_LABEL.name]: NODE_TYPE_LABEL.value,
    "node.kubernetes.io/exclude-from-external-load-balancers": "true",
    "alpha.service-controller.kubernetes.io/exclude-balancer": "true",
    ...acceleratorLabels(options.acceleratorModels ?? {}),
    ...options.labels,
  };
}

const acceleratorLabelNames: Readonly<Record<string, string>> = {
  "nvidia.com/gpu": "nvidia-gpu-type",
  "xilinx.com/fpga": "xilinx-fpga-type",
  "intel.com/fpga": "intel-fpga-type",
};

/** A model that is no label value (`Tesla V100 (32 GB)`) is made one: a refused label would refuse the node. */
function acceleratorLabels(models: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(models).flatMap(([resource, model]) => {
      const name = acceleratorLabelNames[resource];
      const value = model
        .replace(/[^\w.-]+/g, "-")
        .slice(0, 63)
        .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
      return name === undefined || value === "" ? [] : [[name, value]];
    }),
  );
}

/**
 * With a host name, which kube-apiserver calls a kubelet by before anything else unless it is told otherwise
 * (`--kubelet-preferred-address-types`). The node's own name would be wrong there: no machine has it, no DNS knows it.
 */
function nodeAddresses({ addresses }: NodeOptions): NodeAddress[] {
  const [first] = addresses;
  if (first === undefined || addresses.some((one) => one.type === "Hostname"))
    return [...addresses];
  return [...addresses, { type: "Hostname", address: first.address }];
}

/** The names in one of our annotations on `node`. */
export function namesIn(node: Node, annotation: string): Set<string> {
  const text = node.metadata?.annotations?.[annotation] ?? "";
  return new Set(text.split(",").filter((name) => name !== ""));
}

/** Whoever may read nodes may read this. */
function shownAddress(address: string): string {
  if (!URL.canParse(address)) return "";
  const url = new URL(address);
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/$/, "")}`;
}
