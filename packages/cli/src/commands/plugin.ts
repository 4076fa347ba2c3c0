import { resolve } from "node:path";
import { servePlugin } from "@interlink/plugin-sdk";
import { buildProvider } from "../build-provider.ts";
import type { CliContext } from "../cli-context.ts";
import { crashPoint } from "../crash-point.ts";
import type { PluginFlags } from "../flags.ts";
import { parseListen } from "../listen.ts";
import { openLog, untilAborted } from "../logging.ts";

/** `interlink plugin NAME`: one plugin, until the process is asked to end. Its pods go on running then. */
export async function plugin(
  name: "docker" | "process",
  flags: PluginFlags,
  { env, signal }: CliContext,
): Promise<void> {
  const logger = openLog("plugin", flags.logLevel);
  const checkpoint = crashPoint(env);
  const dockerHost = flags.dockerHost ?? env["DOCKER_HOST"];
  const provider = await buildProvider(name, {
    root: resolve(flags.root),
    logger,
    ...(flags.instance ? { instance: flags.instance } : {}),
    ...(dockerHost ? { dockerHost } : {}),
    ...(checkpoint ? { checkpoint } : {}),
  });
  await using running = await servePlugin(provider, {
    listen: parseListen(flags.listen),
    logger,
  });
  logger.info({ address: running.address, plugin: name }, "ready");
  await untilAborted(signal);
  logger.info("stopping; pods go on running");
}
