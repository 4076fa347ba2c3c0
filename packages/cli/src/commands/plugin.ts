import { resolve } from "node:path";
import { LogScope, type ServePluginOptions, servePlugin } from "@interlink/plugin-sdk";
import { allOf, createSubjects } from "@interlink/protocol";
import type { Logger } from "pino";
import { anonymous } from "../anonymous.ts";
import { buildProvider } from "../build-provider.ts";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { crashPoint } from "../crash-point.ts";
import type { PluginFlags } from "../flags.ts";
import { certificates, knownTokens } from "../known-callers.ts";
import { parseListen, parsePort, withSocketMode } from "../listen.ts";
import { openLog, untilAborted } from "../logging.ts";
import { readPluginConfig } from "../plugin-config.ts";
import { profilerAt, startTelemetry } from "../telemetry/telemetry.ts";

/** `interlink plugin NAME`: one plugin, until the process is asked to end. Its pods go on running then. */
export async function plugin(
  name: "docker" | "process" | "slurm",
  flags: PluginFlags,
  { env, signal }: CliContext,
): Promise<void> {
  const config = await readPluginConfig(name, flags.config, env);
  const scope = new LogScope();
  const logger = openLog("plugin", flags.logLevel ?? config.logLevel ?? "info", undefined, scope);
  for (const notice of config.notices) logger.warn(notice);
  const root = flags.root ?? config.root;
  if (root === undefined) {
    throw new CliError("usage", "Where shall the pods' files be kept? Give --root <directory>.");
  }
  const door = await doorOf(flags, config.listen, logger);
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
  await using _profiler = await profilerAt(profilerPlace(env), logger);
  await using telemetry = await startTelemetry("plugin", env, logger);
  await using running = await servePlugin(provider, {
    ...door,
    logger,
    scope,
    ...(telemetry.tracer === undefined ? {} : { tracer: telemetry.tracer }),
  });
  logger.info({ address: running.address, plugin: name }, "ready");
  await untilAborted(signal);
  logger.info("stopping; pods go on running");
}

/** As the environment says it; plugins' files have no keys for it. */
function profilerPlace(env: CliContext["env"]) {
  if (env["ENABLE_PPROF"] !== "true") return undefined;
  return {
    address: env["PPROF_ADDRESS"] ?? "127.0.0.1",
    port: parsePort(env["PPROF_PORT"] ?? "6062", "PPROF_PORT"),
  };
}

/** Where the plugin listens, and who may call. */
async function doorOf(
  flags: PluginFlags,
  configured: string | undefined,
  logger: Logger,
): Promise<Pick<ServePluginOptions, "listen" | "authenticate">> {
  const { tokenFile, clientCa, allowedSubject: subjects } = flags;
  if (subjects !== undefined && clientCa === undefined) {
    throw new CliError(
      "usage",
      "--allowed-subject is a name in a client certificate: give --client-ca.",
    );
  }
  const address = parseListen(flags.listen ?? configured ?? "127.0.0.1:4000");
  const listen = withSocketMode(address, flags.socketMode);
  const tls = await ownCertificate(flags, logger);
  if (tls !== undefined && "unixSocket" in listen) {
    throw new CliError(
      "usage",
      "TLS is for addresses; a unix socket needs none: leave out --tls-cert.",
    );
  }
  if (tokenFile === undefined && clientCa === undefined) {
    const told = anonymous({
      listen,
      isByFlag: flags.listen !== undefined,
      allowed: flags.allowAnonymous,
      how: "give --token-file or --client-ca, or listen on a unix socket",
    });
    if (told !== undefined) logger.warn(told);
  }
  const ways = [
    ...(subjects === undefined ? [] : [createSubjects(everywhere(subjects))]),
    ...(tokenFile === undefined ? [] : [await knownTokens(tokenFile, "--token-file", logger)]),
  ];
  return {
    listen: tls === undefined || "unixSocket" in listen ? listen : { ...listen, tls },
    ...(ways.length === 0 ? {} : { authenticate: allOf(ways) }),
  };
}

/** A plugin's callers are API servers, which know by themselves whose pods are whose. */
function everywhere(subjects: readonly string[]): Record<string, readonly string[]> {
  return Object.fromEntries(subjects.map((name) => [name, ["*"]]));
}

async function ownCertificate(
  { tlsCert: cert, tlsKey: key, clientCa }: PluginFlags,
  logger: Logger,
) {
  if (cert === undefined && key === undefined && clientCa === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new CliError("usage", "For HTTPS give both --tls-cert and --tls-key.");
  }
  const options = { cert: "--tls-cert", key: "--tls-key", clientCa: "--client-ca" };
  return certificates(
    { cert, key, ...(clientCa === undefined ? {} : { clientCa }) },
    options,
    logger,
  );
}
