import type { ConfigSources } from "@interlink/plugin-sdk";
import { parseAddress } from "@interlink/protocol";
import { CliError } from "../cli-error.ts";
import { parseListen, parsePort } from "../listen.ts";
import {
  checkNodeFlags,
  parseApiAddress,
  parseLabels,
  parseResources,
  parseTaints,
} from "../node-flags.ts";
import { nodeSettings, readNodeConfig } from "./node-config.ts";
import { readServerConfig, serverSettings } from "./server-config.ts";

/** The keys behind the flags that `checkNodeFlags` judges. */
const NODE_KEYS = {
  name: "NodeName",
  address: "KubeletAddress",
  cpu: "Resources.CPU",
  memory: "Resources.Memory",
  pods: "Resources.Pods",
};

/**
 * Reads a node's configuration, and refuses besides what `interlink node` would refuse at its start. Throws `ConfigError`, or
 * `CliError` `usage` that names the file.
 */
export function readUsableNodeConfig(sources: ConfigSources): ReturnType<typeof readNodeConfig> {
  const config = readNodeConfig(sources);
  inFile(sources, () => {
    const settings = nodeSettings(config.value);
    checkNodeFlags({ name: "unnamed", ...settings }, (flag) => NODE_KEYS[flag]);
    checkAddress("InterlinkURL and InterlinkPort", settings.site);
    if (settings.kubeletPort !== undefined) parsePort(settings.kubeletPort, "KubeletPort");
    if (settings.apiAddress !== undefined) parseApiAddress(settings.apiAddress);
    parseLabels(settings.label ?? []);
    parseTaints(settings.taint ?? []);
    parseResources(settings.resource ?? []);
  });
  return config;
}

/** The same for an API server. */
export function readUsableServerConfig(
  sources: ConfigSources,
): ReturnType<typeof readServerConfig> {
  const config = readServerConfig(sources);
  inFile(sources, () => {
    const settings = serverSettings(config.value);
    checkAddress("SidecarURL and SidecarPort", settings.plugin);
    if (settings.listen !== undefined) parseListen(settings.listen);
  });
  return config;
}

function checkAddress(keys: string, address: string | undefined): void {
  if (address === undefined) return;
  try {
    parseAddress(address);
  } catch (cause) {
    throw new CliError("usage", `${keys}: ${(cause as Error).message}`, { cause });
  }
}

function inFile({ file }: ConfigSources, check: () => void): void {
  try {
    check();
  } catch (cause) {
    if (!(cause instanceof CliError) || file === undefined) throw cause;
    throw new CliError(cause.code, `${file.name}: ${cause.message}`, { cause });
  }
}
