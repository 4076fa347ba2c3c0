export { Backoff, type BackoffOptions, backoffMs } from "./backoff.ts";
export type {
  KubeClient,
  KubeList,
  KubeObject,
  PatchType,
  RequestOptions,
  WatchEvent,
} from "./client.ts";
export type { CredentialSource, KubeCredentials, TlsMaterial } from "./credentials.ts";
export { pause, withDeadline } from "./deadline.ts";
export {
  isKubeError,
  isPassing,
  KubeError,
  type KubeErrorCode,
  type KubeStatus,
} from "./errors.ts";
export {
  createEventRecorder,
  type EventRecorder,
  type EventRecorderOptions,
  nodeReference,
  podReference,
} from "./events.ts";
export { createKubeClient, type KubeClientOptions } from "./http-client.ts";
export {
  defaultInformerTiming,
  Informer,
  type InformerHandler,
  type InformerHooks,
  type InformerOptions,
  type InformerState,
  type InformerTiming,
} from "./informer.ts";
export { sameJson } from "./json.ts";
export {
  microTime,
  NODE_LEASE_NAMESPACE,
  type NodeLeaseHolder,
  nodeLease,
  renewNodeLease,
} from "./lease.ts";
export { listAll } from "./list-all.ts";
export { type CredentialWorld, loadKubeCredentials } from "./load-credentials.ts";
export {
  type HeldObject,
  ObjectCache,
  type ObjectCacheOptions,
  type ObjectListener,
} from "./object-cache.ts";
export { paths, subresource } from "./paths.ts";
export {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  type QuantityFormat,
  quantityMilliValue,
  quantityValue,
  subtractQuantities,
  tryParseQuantity,
} from "./quantity.ts";
export { type RateLimit, TokenBucket } from "./rate-limit.ts";
export { nodeStatusPatch, type PodStatusPatch, podStatusPatch } from "./status-patch.ts";
export type { WatchEnd } from "./watch-session.ts";
export {
  defaultWorkBackoff,
  type Priority,
  type WorkAgain,
  WorkQueue,
  type WorkQueueOptions,
  type WorkQueueStats,
} from "./work-queue.ts";
