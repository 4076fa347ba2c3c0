export { DOCKER_CONFIG } from "./config/config-schema.ts";
export { type DockerConfig, readDockerConfig } from "./config/docker-config.ts";
export type { DeviceResource, DeviceSetting, DeviceUnit } from "./devices/inventory.ts";
export { createDockerProvider, type DockerProviderOptions } from "./docker-provider.ts";
export { DockerRuntime, type DockerRuntimeOptions } from "./docker-runtime.ts";
export {
  type DockerEnvironment,
  type EngineAddress,
  engineAddresses,
  likelyEngineAddress,
  parseDockerHost,
  showAddress,
} from "./engine/engine-address.ts";
export { EngineClient, type EngineRequest, type EngineVersion } from "./engine/engine-client.ts";
export { EngineError, type EngineErrorCode, isEngineError } from "./engine/engine-error.ts";
export { jsonLines } from "./engine/json-lines.ts";
export type { CollectionSettings, ImageSettings } from "./images/image-settings.ts";
export type { LogConfig } from "./pods/container-config.ts";
export type { HostAccess } from "./pods/forbidden.ts";
export type { DnsSettings } from "./pods/pod-dns.ts";
export type { ClaimRule } from "./volumes/claim-rules.ts";
export { HeldMounts } from "./volumes/held-mounts.ts";
export { MountKeeper, type MountKeeperOptions } from "./volumes/mount-keeper.ts";
