import { type Authenticate, allOf, anyOf, createSubjects } from "@interlink/protocol";
import {
  createHttpJobScriptBuilder,
  createJwtCallers,
  createTemplateBuilder,
  type JobScriptBuilder,
  type JwtCallersOptions,
  type SeveralPluginsOptions,
  startServer,
} from "@interlink/server";
import type { Logger } from "pino";
import { anonymous } from "../anonymous.ts";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { loadConfig } from "../config/config-file.ts";
import {
  readServerConfig,
  SERVER_CONFIG_PLACE,
  type ServerSettings,
  serverSettings,
} from "../config/server-config.ts";
import type { SeveralSettings, SidecarSettings } from "../config/several-plugins.ts";
import { crashPoint } from "../crash-point.ts";
import type { ServerFlags } from "../flags.ts";
import { certificates, knownTokens } from "../known-callers.ts";
import { parseListen, withSocketMode } from "../listen.ts";
import { openLog, untilAborted } from "../logging.ts";
import { neededFile } from "../needed-file.ts";
import { secretFile } from "../secret-file.ts";
import { profilerAt, startTelemetry } from "../telemetry/telemetry.ts";

const TLS_KEYS = { cert: "TLS.CertFile", key: "TLS.KeyFile", clientCa: "TLS.CACertFile" };

/** `interlink server`: the API server, until the process is asked to end. */
export async function server(flags: ServerFlags, { env, signal }: CliContext): Promise<void> {
  const config = await loadConfig(readServerConfig, SERVER_CONFIG_PLACE, flags.config, env);
  const settings = serverSettings(config.value);
  const plugin = flags.plugin ?? settings.plugin;
  const several = flags.plugin === undefined ? settings.several : undefined;
  if (plugin === undefined && several === undefined) {
    throw new CliError(
      "usage",
      "Which plugin? Give --plugin <url>, or SidecarURL and SidecarPort, or Plugins, in a configuration file.",
    );
  }
  const logger = openLog("server", flags.logLevel ?? settings.logLevel ?? "info");
  if (config.file !== undefined) logger.info({ file: config.file }, "configuration");
  for (const notice of config.notices) logger.warn(notice);
  const checkpoint = crashPoint(env);
  const listen = withSocketMode(
    parseListen(flags.listen ?? settings.listen ?? "127.0.0.1:3000"),
    flags.socketMode ?? settings.socketMode,
  );
  const tls =
    settings.tls === undefined ? undefined : await certificates(settings.tls, TLS_KEYS, logger);
  if (tls !== undefined && "unixSocket" in listen) {
    throw new CliError("usage", "TLS is for addresses; a unix socket needs none: disable TLS.");
  }
  const authenticate = await callers(
    flags.tokenFile ?? settings.tokenFile,
    settings.issuer,
    settings.subjects,
    logger,
  );
  if (authenticate === undefined && tls?.clientCa === undefined) {
    const told = anonymous({
      listen,
      isByFlag: flags.listen !== undefined,
      allowed: flags.allowAnonymous ?? settings.allowAnonymous,
      how: "give --token-file, or TokenFile, OIDC or TLS.CACertFile in the configuration",
    });
    if (told !== undefined) logger.warn(told);
  }
  const sidecar = {
    ...settings.sidecar,
    ...(flags.pluginTokenFile === undefined ? {} : { tokenFile: flags.pluginTokenFile }),
  };
  const jobScriptBuilder = await jobScripts(settings);
  await using _profiler = await profilerAt(settings.profiler, logger);
  await using telemetry = await startTelemetry("server", env, logger);
  await using running = await startServer({
    listen: tls === undefined || "unixSocket" in listen ? listen : { ...listen, tls },
    plugin:
      several === undefined
        ? { address: plugin ?? "", ...(await pluginClient(sidecar, logger)) }
        : await pluginClients(several, logger),
    logger,
    ...(telemetry.tracer === undefined ? {} : { tracer: telemetry.tracer }),
    ...(authenticate === undefined ? {} : { authenticate }),
    ...(settings.rateLimit === undefined ? {} : { rateLimit: settings.rateLimit }),
    ...(settings.limits === undefined ? {} : { limits: settings.limits }),
    ...(jobScriptBuilder === undefined ? {} : { jobScriptBuilder }),
    ...(checkpoint ? { checkpoint } : {}),
  });
  const plugins = several === undefined ? { plugin } : { plugins: Object.keys(several.plugins) };
  logger.info({ address: running.address, ...plugins }, "ready");
  await untilAborted(signal);
  logger.info("stopping");
}

/** Whoever is let in by one of the tokens that are configured, if any are, and by its certificate; `undefined`: all are. */
async function callers(
  file: string | undefined,
  issuer: JwtCallersOptions | undefined,
  subjects: ServerSettings["subjects"],
  logger: Logger,
): Promise<Authenticate | undefined> {
  const ways: Authenticate[] = [];
  if (file !== undefined) ways.push(await knownTokens(file, "--token-file", logger));
  if (issuer !== undefined) ways.push(createJwtCallers(issuer));
  const all = [
    ...(subjects === undefined ? [] : [createSubjects(subjects)]),
    ...(ways.length === 0 ? [] : [anyOf(ways)]),
  ];
  return all.length === 0 ? undefined : allOf(all);
}

/** How the plugin is called. */
async function pluginClient({ tokenFile, ca, cert, key }: SidecarSettings, logger: Logger) {
  // Read again for every call; here only so that a wrong name is told at once.
  if (tokenFile !== undefined) await secretFile(tokenFile, "SidecarTokenFile", logger);
  const tls = {
    ...(ca === undefined ? {} : { ca: await neededFile(ca, "SidecarTLS.CACertFile") }),
    ...(cert === undefined ? {} : { cert: await neededFile(cert, "SidecarTLS.CertFile") }),
    ...(key === undefined ? {} : { key: await secretFile(key, "SidecarTLS.KeyFile", logger) }),
  };
  return {
    ...(tokenFile === undefined ? {} : { token: { file: tokenFile } }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
  };
}

/** How each of several plugins is called. */
async function pluginClients(
  { plugins, defaultPlugin, placements }: SeveralSettings,
  logger: Logger,
): Promise<SeveralPluginsOptions> {
  const entries = Object.entries(plugins).map(async ([name, { address, sidecar, nodes }]) => [
    name,
    { address, nodes, ...(await pluginClient(sidecar, logger)) },
  ]);
  return {
    plugins: Object.fromEntries(await Promise.all(entries)) as SeveralPluginsOptions["plugins"],
    placements,
    ...(defaultPlugin === undefined ? {} : { defaultPlugin }),
  };
}

/** By the builder that a pod names, else by the template; `undefined` if neither is configured. */
async function jobScripts({
  jobConfig,
  jobScriptTemplate: template,
}: ServerSettings): Promise<JobScriptBuilder | undefined> {
  const elsewhere = jobConfig === undefined ? undefined : createHttpJobScriptBuilder({ jobConfig });
  if (template === undefined) return elsewhere;
  try {
    return await createTemplateBuilder(template, elsewhere);
  } catch (cause) {
    const inline = template.includes("\n") ? " (the key wants the name of a file)" : "";
    throw new CliError("usage", `JobScriptTemplate: ${(cause as Error).message}${inline}`, {
      cause,
    });
  }
}
