export { defined } from "./defined.ts";
export { describeProvider, type ProviderCapabilities } from "./describe-provider.ts";
export type { StreamCapabilities } from "./describe-streams.ts";
export { eventually } from "./eventually.ts";
export { logRequest } from "./log-request.ts";
export { podData } from "./pod-data.ts";
export { recordingLogger, silentLogger } from "./recording-logger.ts";
export { temporaryDirectory } from "./temporary-directory.ts";
