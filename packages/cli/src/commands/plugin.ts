import { resolve } from "node:path";
import { servePlugin } from "@interlink/plugin-sdk";
import { buildProvider } from "../build-provider.ts";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { crashPoint } from "../crash-point.ts";
import type { PluginFlags } from "../flags.ts";
import { parseListen } from "../listen.ts";
import { openLog, untilAborted } from "../logging.ts";
import { readPluginConfig } from "../plugin-config.ts";

/** `interlink plugin NAME`: one plugin, until the process is asked to end. Its pods go on running then. */
export async function plugin(
  name: "docker" | "process" | "slurm",
  flags: PluginFlags,
  { env, signal }: CliContext,
): Promise<void> {
  const config = await readPluginConfig(name, flags.config, env);
  const logger = openLog("plugin", flags.logLevel ?? config.logLevel ?? "info");
  for (const notice of config.notices) logger.warn(notice);
  const root = flags.root ?? config.root;
  if (root === undefined) {
    throw new CliError("usage", "Where shall the pods' files be kept? Give --root <directory>.");
  }
  const checkpoint = crashPoint(env);
  const dockerHost = flags.dockerHost ?? config.options.dockerHost;
  const provider = await buildProvider(name, {
    root: resolve(root),
    logger,
    docker: config.options,
    ...(config.slurm ? { slurm: config.slurm } : {}),
    ...(flags.instance ? { instance: flags.instance } : {}),
    ...(dockerHost ? { dockerHost } : {}),
    ...(checkpoint ? { checkpoint } : {}),
  });
  await using running = await servePlugin(provider, {
    listen: parseListen(flags.listen ?? config.listen ?? "127.0.0.1:4000"),
    logger,
  });
  logger.info({ address: running.address, plugin: name }, "ready");
  await untilAborted(signal);
  logger.info("stopping; pods go on running");
}
