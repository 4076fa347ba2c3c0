import { join, resolve } from "node:path";
import type { CredentialSource } from "@interlink/kube";
import { startVirtualNode } from "@interlink/node";
import type { Logger } from "pino";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { loadConfig } from "../config/config-file.ts";
import {
  NODE_CONFIG_PLACE,
  type NodeFileSettings,
  nodeSettings,
  readNodeConfig,
} from "../config/node-config.ts";
import { crashPoint } from "../crash-point.ts";
import type { NodeFlags } from "../flags.ts";
import { parsePort } from "../listen.ts";
import { openLog, untilAborted } from "../logging.ts";
import { neededFile } from "../needed-file.ts";
import {
  checkNodeFlags,
  parseApiAddress,
  parseLabels,
  parseRate,
  parseResources,
  parseSeconds,
  parseTaints,
} from "../node-flags.ts";
import { secretFile } from "../secret-file.ts";
import { stateHome } from "../state-home.ts";
import { profilerAt, startTelemetry } from "../telemetry/telemetry.ts";
import { readVersion } from "../version.ts";

/** `interlink node`: one virtual node, until the process is asked to end. Its pods go on running then. */
export async function node(given: NodeFlags, { env, signal }: CliContext): Promise<void> {
  const config = await loadConfig(readNodeConfig, NODE_CONFIG_PLACE, given.config, env);
  const flags = complete({ ...nodeSettings(config.value), ...given });
  checkNodeFlags(flags);
  const logger = openLog("node", flags.logLevel ?? "info");
  if (config.file !== undefined) logger.info({ file: config.file }, "configuration");
  for (const notice of config.notices) logger.warn(notice);
  const checkpoint = crashPoint(env);
  const tls = await siteTls(flags, logger);
  if (tls.insecure === true) {
    logger.warn("HTTP.Insecure: any certificate of the site is taken; name its authority instead");
  }
  // Read again and again; here only so that a wrong name is told at once.
  await optionalFile(flags.clientCa, "--client-ca");
  if (flags.tokenFile !== undefined) await secretFile(flags.tokenFile, "--token-file", logger);
  const certificateFiles = await ownCertificate(flags);
  const kubeRate = parseRate("kube-api", flags.kubeApiQps, flags.kubeApiBurst);
  const eventRate = parseRate("event", flags.eventQps, flags.eventBurst);
  await using _profiler = await profilerAt(flags.profiler, logger);
  await using telemetry = await startTelemetry("node", env, logger);
  await using running = await startVirtualNode({
    ...(telemetry.tracer === undefined ? {} : { tracer: telemetry.tracer }),
    nodeName: flags.name,
    version: readVersion(),
    kube: credentials(flags),
    site: {
      address: flags.site,
      ...(Object.keys(tls).length === 0 ? {} : { tls }),
      ...(flags.tokenFile === undefined ? {} : { token: { file: flags.tokenFile } }),
    },
    ...(flags.address === undefined ? {} : { nodeAddress: flags.address }),
    kubelet: {
      ...(flags.kubeletHost === undefined ? {} : { host: flags.kubeletHost }),
      port: parsePort(flags.kubeletPort ?? "10250", "--kubelet-port"),
      ...(certificateFiles === undefined ? {} : { certificateFiles }),
      ...(flags.servingCertificate === undefined
        ? {}
        : { servingCertificate: flags.servingCertificate }),
      ...(flags.clientCa === undefined ? {} : { clientCaFile: flags.clientCa }),
    },
    certificateDirectory: certificateDirectory(flags, env),
    ...(flags.jobscriptURL === undefined ? {} : { jobscriptURL: flags.jobscriptURL }),
    ...(flags.apiAddress === undefined
      ? {}
      : { kubernetesService: parseApiAddress(flags.apiAddress) }),
    labels: parseLabels(flags.label ?? []),
    taints: parseTaints(flags.taint ?? []),
    defaultTaint: flags.defaultTaint,
    capacity: capacity(flags),
    cordoned: flags.cordoned ?? false,
    ...(flags.notReadyAfter === undefined
      ? {}
      : { notReadyAfterSeconds: parseSeconds(flags.notReadyAfter, "--not-ready-after") }),
    ...(kubeRate === undefined ? {} : { kubeRate }),
    ...(eventRate === undefined ? {} : { eventRate }),
    logger,
    signal,
    ...(checkpoint ? { checkpoint } : {}),
  });
  logger.info({ node: flags.name, kubeletPort: running.kubeletPort, site: flags.site }, "ready");
  await untilAborted(signal);
  logger.info("stopping; pods go on running");
}

/** With what a node cannot do without. */
type CompleteFlags = NodeFileSettings & NodeFlags & { name: string; site: string };

function complete(flags: NodeFileSettings & NodeFlags): CompleteFlags {
  const { name, site } = flags;
  if (name === undefined) {
    throw new CliError(
      "usage",
      "What is the virtual node's name? Give --name <name>, NODENAME, or NodeName in a configuration file.",
    );
  }
  if (site === undefined) {
    throw new CliError(
      "usage",
      "Where is the interLink API server? Give --site <url>, or InterlinkURL and InterlinkPort in a configuration file.",
    );
  }
  return { ...flags, name, site };
}

async function siteTls({ siteCa, siteCertificate, siteInsecure }: CompleteFlags, logger: Logger) {
  const ca = await optionalFile(siteCa, "--site-ca");
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(siteInsecure === true ? { insecure: true } : {}),
    ...(siteCertificate === undefined
      ? {}
      : {
          cert: await neededFile(siteCertificate.cert, "TLS.CertFile"),
          key: await secretFile(siteCertificate.key, "TLS.KeyFile", logger),
        }),
  };
}

function credentials({ kubeconfig, context }: NodeFlags): CredentialSource {
  if (kubeconfig === undefined) {
    if (context === undefined) return "default";
    throw new CliError("usage", "--context needs --kubeconfig: say in which file it is.");
  }
  return { kubeconfigFile: kubeconfig, ...(context === undefined ? {} : { context }) };
}

async function ownCertificate({ kubeletCert, kubeletKey, servingCertificate }: NodeFlags) {
  if ((kubeletCert === undefined) !== (kubeletKey === undefined)) {
    throw new CliError("usage", "--kubelet-cert and --kubelet-key belong together: give both.");
  }
  if (kubeletCert === undefined || kubeletKey === undefined) return undefined;
  if (servingCertificate !== undefined) {
    throw new CliError(
      "usage",
      "--serving-certificate and --kubelet-cert exclude each other: give one of them.",
    );
  }
  await optionalFile(kubeletCert, "--kubelet-cert");
  await optionalFile(kubeletKey, "--kubelet-key");
  return { cert: kubeletCert, key: kubeletKey };
}

function certificateDirectory(
  { name, certificateDir }: CompleteFlags,
  env: Readonly<Record<string, string | undefined>>,
): string {
  if (certificateDir !== undefined) return resolve(certificateDir);
  return join(stateHome(env), "nodes", name);
}

function capacity({ cpu, memory, pods, resource }: NodeFlags): Record<string, string> {
  const standard = Object.entries({ cpu, memory, pods }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return { ...Object.fromEntries(standard), ...parseResources(resource ?? []) };
}

async function optionalFile(file: string | undefined, option: string): Promise<string | undefined> {
  return file === undefined ? undefined : neededFile(file, option);
}
