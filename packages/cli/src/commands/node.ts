import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { CredentialSource } from "@interlink/kube";
import { startVirtualNode } from "@interlink/node";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { crashPoint } from "../crash-point.ts";
import type { NodeFlags } from "../flags.ts";
import { parsePort } from "../listen.ts";
import { openLog, untilAborted } from "../logging.ts";
import {
  checkNodeFlags,
  parseApiAddress,
  parseLabels,
  parseRate,
  parseResources,
  parseSeconds,
  parseTaints,
} from "../node-flags.ts";
import { stateHome } from "../state-home.ts";
import { readVersion } from "../version.ts";

/** `interlink node`: one virtual node, until the process is asked to end. Its pods go on running then. */
export async function node(flags: NodeFlags, { env, signal }: CliContext): Promise<void> {
  checkNodeFlags(flags);
  const logger = openLog("node", flags.logLevel);
  const checkpoint = crashPoint(env);
  const ca = await optionalFile(flags.siteCa, "--site-ca");
  // Read again and again; here only so that a wrong name is told at once.
  await optionalFile(flags.clientCa, "--client-ca");
  await optionalFile(flags.tokenFile, "--token-file");
  const certificateFiles = await ownCertificate(flags);
  const kubeRate = parseRate("kube-api", flags.kubeApiQps, flags.kubeApiBurst);
  const eventRate = parseRate("event", flags.eventQps, flags.eventBurst);
  await using running = await startVirtualNode({
    nodeName: flags.name,
    version: readVersion(),
    kube: credentials(flags),
    site: {
      address: flags.site,
      ...(ca === undefined ? {} : { tls: { ca } }),
      ...(flags.tokenFile === undefined ? {} : { token: { file: flags.tokenFile } }),
    },
    ...(flags.address === undefined ? {} : { nodeAddress: flags.address }),
    kubelet: {
      port: parsePort(flags.kubeletPort, "--kubelet-port"),
      ...(certificateFiles === undefined ? {} : { certificateFiles }),
      ...(flags.servingCertificate === undefined
        ? {}
        : { servingCertificate: flags.servingCertificate }),
      ...(flags.clientCa === undefined ? {} : { clientCaFile: flags.clientCa }),
    },
    certificateDirectory: certificateDirectory(flags, env),
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
  { name, certificateDir }: NodeFlags,
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
  if (file === undefined) return undefined;
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const why = missing ? "there is no such file" : (error as Error).message;
    throw new CliError("usage", `${option}: cannot read ${file}: ${why}.`, { cause: error });
  }
}
