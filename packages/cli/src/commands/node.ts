import { readFile } from "node:fs/promises";
import type { CredentialSource } from "@interlink/kube";
import { startVirtualNode } from "@interlink/node";
import { CliError } from "../cli-error.ts";
import { crashPoint } from "../crash-point.ts";
import { parsePort } from "../listen.ts";
import { openLog, untilAborted } from "../logging.ts";
import { checkNodeFlags, parseApiAddress, parseLabels, parseTaints } from "../node-flags.ts";
import type { CliContext, NodeFlags } from "../program.ts";
import { readVersion } from "../version.ts";

/** `interlink node`: one virtual node, until the process is asked to end. Its pods go on running then. */
export async function node(flags: NodeFlags, { env, signal }: CliContext): Promise<void> {
  checkNodeFlags(flags);
  const logger = openLog("node", flags.logLevel);
  const checkpoint = crashPoint(env);
  const ca = await optionalFile(flags.siteCa, "--site-ca");
  const clientCaPem = await optionalFile(flags.clientCa, "--client-ca");
  // Read for every call; here only so that a wrong name is told at once.
  await optionalFile(flags.tokenFile, "--token-file");
  const certificate = await servingCertificate(flags);
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
      ...(certificate === undefined ? {} : { certificate }),
      ...(clientCaPem === undefined ? {} : { clientCaPem }),
    },
    ...(flags.apiAddress === undefined
      ? {}
      : { kubernetesService: parseApiAddress(flags.apiAddress) }),
    labels: parseLabels(flags.label ?? []),
    taints: parseTaints(flags.taint ?? []),
    defaultTaint: flags.defaultTaint,
    capacity: capacity(flags),
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

async function servingCertificate({ kubeletCert, kubeletKey }: NodeFlags) {
  if ((kubeletCert === undefined) !== (kubeletKey === undefined)) {
    throw new CliError("usage", "--kubelet-cert and --kubelet-key belong together: give both.");
  }
  const cert = await optionalFile(kubeletCert, "--kubelet-cert");
  const key = await optionalFile(kubeletKey, "--kubelet-key");
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

function capacity({ cpu, memory, pods }: NodeFlags): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ cpu, memory, pods }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
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
