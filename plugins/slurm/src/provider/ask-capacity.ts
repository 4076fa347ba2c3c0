import { PluginError } from "@interlink/plugin-sdk";
import type { PingAnswer } from "@interlink/protocol";
import type { Logger } from "pino";
import type { SlurmClient } from "../commands/slurm-client.ts";
import type { SlurmSettings } from "../config/slurm-config.ts";
import { capacityAnswer, scriptAnswer } from "./capacity.ts";

/** What the site offers now: by its own program, if it has one that works, else by sinfo. Throws `PluginError` `unavailable`. */
export async function askCapacity(
  client: Pick<SlurmClient, "nodes" | "resourceScript">,
  settings: SlurmSettings,
  logger: Logger,
  signal: AbortSignal,
): Promise<PingAnswer> {
  const { resourceScript } = settings;
  try {
    if (resourceScript !== undefined) {
      try {
        return scriptAnswer(await client.resourceScript(resourceScript, signal), settings);
      } catch (error) {
        logger.warn({ err: error }, "the site's program of capacity failed; asking sinfo");
      }
    }
    return capacityAnswer(await client.nodes(signal), settings);
  } catch (error) {
    throw new PluginError("unavailable", `Slurm does not answer: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
