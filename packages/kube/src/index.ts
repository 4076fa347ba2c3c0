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
export { isKubeError, KubeError, type KubeErrorCode, type KubeStatus } from "./errors.ts";
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
export { listAll } from "./list-all.ts";
export { type CredentialWorld, loadKubeCredentials } from "./load-credentials.ts";
export { paths, subresource } from "./paths.ts";
export type { WatchEnd } from "./watch-session.ts";
