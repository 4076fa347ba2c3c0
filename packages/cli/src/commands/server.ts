import { type Authenticate, anyOf, createTokenFile } from "@interlink/protocol";
import {
  createHttpJobScriptBuilder,
  createJwtCallers,
  type JwtCallersOptions,
  startServer,
} from "@interlink/server";
import type { Logger } from "pino";
import { anonymous } from "../anonymous.ts";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { loadConfig } from "../config/config-file.ts";
import { readServerConfig, SERVER_CONFIG_PLACE, serverSettings } from "../config/server-config.ts";
import { crashPoint } from "../crash-point.ts";
import type { ServerFlags } from "../flags.ts";
import { parseListen } from "../listen.ts";
import { openLog, untilAborted } from "../logging.ts";
import { neededFile } from "../needed-file.ts";

/** `interlink server`: the API server, until the process is asked to end. */
export async function server(flags: ServerFlags, { env, signal }: CliContext): Promise<void> {
  const config = await loadConfig(readServerConfig, SERVER_CONFIG_PLACE, flags.config, env);
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
  const authenticate = await callers(
    flags.tokenFile ?? settings.tokenFile,
    settings.issuer,
    logger,
  );
  if (authenticate === undefined && tls?.clientCa === undefined) {
    const told = anonymous({
      listen,
      isByFlag: flags.listen !== undefined,
      allowed: flags.allowAnonymous ?? settings.allowAnonymous,
    });
    if (told !== undefined) logger.warn(told);
  }
  await using running = await startServer({
    listen: tls === undefined || "unixSocket" in listen ? listen : { ...listen, tls },
    plugin: { address: plugin },
    logger,
    ...(authenticate === undefined ? {} : { authenticate }),
    ...(settings.rateLimit === undefined ? {} : { rateLimit: settings.rateLimit }),
    ...(settings.limits === undefined ? {} : { limits: settings.limits }),
    ...(settings.jobConfig === undefined
      ? {}
      : { jobScriptBuilder: createHttpJobScriptBuilder({ jobConfig: settings.jobConfig }) }),
    ...(checkpoint ? { checkpoint } : {}),
  });
  logger.info({ address: running.address, plugin }, "ready");
  await untilAborted(signal);
  logger.info("stopping");
}

/** Whoever is let in by one of the ways that are configured; `undefined` if none is. */
async function callers(
  file: string | undefined,
  issuer: JwtCallersOptions | undefined,
  logger: Logger,
): Promise<Authenticate | undefined> {
  const ways: Authenticate[] = [];
  if (file !== undefined) ways.push(await knownTokens(file, logger));
  if (issuer !== undefined) ways.push(createJwtCallers(issuer));
  return ways.length === 0 ? undefined : anyOf(ways);
}

async function knownTokens(file: string, logger: Logger): Promise<Authenticate> {
  await neededFile(file, "--token-file");
  try {
    return await createTokenFile({ file, logger, now: () => performance.now() });
  } catch (cause) {
    throw new CliError("usage", `--token-file: ${(cause as Error).message}`, { cause });
  }
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
