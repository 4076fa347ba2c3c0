export type { ServingCertificate } from "./kubelet-api/serving-certificate.ts";
export { NODE_CHECKPOINTS, type NodeCheckpoint } from "./pods/checkpoints.ts";
export { DEFAULT_POD_TIMING, type PodTiming } from "./pods/timing.ts";
export { DEFAULT_CAPACITY, type NodeOptions } from "./registration/node-options.ts";
export { defaultPingTiming, type PingTiming } from "./registration/ping-loop.ts";
export { createInterlinkSite, type InterlinkSiteOptions } from "./remote/interlink-site.ts";
export type { RemoteListener, RemoteSite, SyncedAnswer } from "./remote/remote-site.ts";
export { startVirtualNode, type VirtualNode } from "./virtual-node.ts";
export type { SiteSource, VirtualNodeOptions } from "./virtual-node-options.ts";
