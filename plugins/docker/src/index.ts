export {
  type DockerEnvironment,
  type EngineAddress,
  engineAddresses,
  parseDockerHost,
  showAddress,
} from "./engine/engine-address.ts";
export { EngineClient, type EngineRequest, type EngineVersion } from "./engine/engine-client.ts";
export { EngineError, type EngineErrorCode, isEngineError } from "./engine/engine-error.ts";
export { jsonLines } from "./engine/json-lines.ts";
