export { SLURM_CONFIG } from "./config/config-schema.ts";
export type { RuntimeSettings } from "./config/runtime-settings.ts";
export {
  type ClaimRule,
  type NamespaceSettings,
  readSlurmConfig,
  type SlurmCommands,
  type SlurmConfig,
  type SlurmEnvironment,
  type SlurmSettings,
} from "./config/slurm-config.ts";
export { createSlurmProvider, type SlurmProviderOptions } from "./provider/slurm-provider.ts";
