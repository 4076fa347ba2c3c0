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
export type { RemoteListener, RemoteSite } from "./remote/remote-site.ts";
