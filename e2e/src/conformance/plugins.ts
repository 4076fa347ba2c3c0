/** The plugins that the page has a column for. */
export const PLUGINS = ["process", "docker", "slurm"] as const;
export type PluginName = (typeof PLUGINS)[number];
