export { createJwtCallers, type JwtCallersOptions } from "./auth/jwt.ts";
export type { NamespaceClaim } from "./auth/namespaces.ts";
export { type Checkpoint, SERVER_CHECKPOINTS } from "./checkpoints.ts";
export {
  createHttpJobScriptBuilder,
  type HttpJobScriptBuilderOptions,
} from "./job-script/http-builder.ts";
export type { JobScriptBuilder } from "./job-script/job-script-builder.ts";
export { createTemplateBuilder } from "./job-script/template-builder.ts";
export type { ListenOptions, ServerLimits, ServerOptions } from "./options.ts";
export { DEFAULT_LIMITS } from "./options.ts";
export { PLUGIN_ANNOTATION } from "./plugin/several/choose-plugin.ts";
export type { SeveralPluginsOptions } from "./plugin/several/several-options.ts";
export { type RunningServer, startServer } from "./server.ts";
