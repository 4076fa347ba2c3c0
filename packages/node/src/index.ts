export { type Authenticate, createAuthenticator, type User } from "./kubelet-api/authentication.ts";
export { type Authorize, createAuthorizer } from "./kubelet-api/authorization.ts";
export { type KubeletBackend, KubeletError, type KubeletErrorCode } from "./kubelet-api/backend.ts";
export { findClientCa } from "./kubelet-api/client-ca.ts";
export {
  type KubeletApi,
  type KubeletApiOptions,
  startKubeletApi,
} from "./kubelet-api/kubelet-api.ts";
export type { ContainerLogOptions } from "./kubelet-api/log-options.ts";
export {
  type ServingCertificate,
  selfSignedCertificate,
} from "./kubelet-api/serving-certificate.ts";
export { NODE_CHECKPOINTS, type NodeCheckpoint } from "./pods/checkpoints.ts";
export { DEFAULT_POD_TIMING, type PodTiming } from "./pods/timing.ts";
export {
  type LeaseKeeper,
  type LeaseKeeperOptions,
  startLeaseKeeper,
} from "./registration/lease-keeper.ts";
export { DEFAULT_CAPACITY, type NodeOptions } from "./registration/node-options.ts";
export {
  NodeRegistration,
  type RegistrationParts,
  type RegistrationState,
  type RegistrationTiming,
} from "./registration/node-registration.ts";
export {
  defaultPingTiming,
  type PingResult,
  type PingTiming,
  runPingLoop,
} from "./registration/ping-loop.ts";
export { createInterlinkSite, type InterlinkSiteOptions } from "./remote/interlink-site.ts";
export type { RemoteListener, RemoteSite, SyncedAnswer } from "./remote/remote-site.ts";
export { startVirtualNode, type VirtualNode } from "./virtual-node.ts";
export type { SiteSource, VirtualNodeOptions } from "./virtual-node-options.ts";
