export { SLURM_CONFIG } from "./config/config-schema.ts";
export {
  type ClaimRule,
  type NamespaceSettings,
  type RuntimeSettings,
  readSlurmConfig,
  type SlurmCommands,
  type SlurmConfig,
  type SlurmEnvironment,
  type SlurmSettings,
} from "./config/slurm-config.ts";
export { createSlurmProvider, type SlurmProviderOptions } from "./provider/slurm-provider.ts";
