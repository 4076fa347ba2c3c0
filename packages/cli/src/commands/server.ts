import { startServer } from "@interlink/server";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { loadConfig } from "../config/config-file.ts";
import { SERVER_CONFIG, SERVER_CONFIG_PLACE, serverSettings } from "../config/server-config.ts";
import { crashPoint } from "../crash-point.ts";
import type { ServerFlags } from "../flags.ts";
import { parseListen } from "../listen.ts";
import { openLog, untilAborted } from "../logging.ts";
import { neededFile } from "../needed-file.ts";

/** `interlink server`: the API server, until the process is asked to end. */
export async function server(flags: ServerFlags, { env, signal }: CliContext): Promise<void> {
  const config = await loadConfig(SERVER_CONFIG, SERVER_CONFIG_PLACE, flags.config, env);
  const settings = serverSettings(config.value);
  const plugin = flags.plugin ?? settings.plugin;
  if (plugin === undefined) {
    throw new CliError(
      "usage",
      "Which plugin? Give --plugin <url>, or SidecarURL and SidecarPort in a configuration file.",
    );
  }
  const logger = openLog("server", flags.logLevel ?? settings.logLevel ?? "info");
  if (config.file !== undefined) logger.info({ file: config.file }, "configuration");
  for (const notice of config.notices) logger.warn(notice);
  const checkpoint = crashPoint(env);
  const listen = parseListen(flags.listen ?? settings.listen ?? "127.0.0.1:3000");
  const tls = await certificates(settings.tls);
  if (tls !== undefined && "unixSocket" in listen) {
    throw new CliError("usage", "TLS is for addresses; a unix socket needs none: disable TLS.");
  }
  await using running = await startServer({
    listen: tls === undefined || "unixSocket" in listen ? listen : { ...listen, tls },
    plugin: { address: plugin },
    logger,
    ...(checkpoint ? { checkpoint } : {}),
  });
  logger.info({ address: running.address, plugin }, "ready");
  await untilAborted(signal);
  logger.info("stopping");
}

async function certificates(files: ReturnType<typeof serverSettings>["tls"]) {
  if (files === undefined) return undefined;
  const { cert, key, clientCa } = files;
  return {
    cert: await neededFile(cert, "TLS.CertFile"),
    key: await neededFile(key, "TLS.KeyFile"),
    ...(clientCa === undefined ? {} : { clientCa: await neededFile(clientCa, "TLS.CACertFile") }),
  };
}
