import { readFile } from "node:fs/promises";
import { ConfigError } from "@interlink/plugin-sdk";
import type { TlsOptions } from "@interlink/protocol";
import { CliError } from "../cli-error.ts";
import { loadConfig } from "../config/config-file.ts";
import {
  NODE_CONFIG_PLACE,
  type NodeFileSettings,
  nodeSettings,
  readNodeConfig,
} from "../config/node-config.ts";
import type { Facts, FileFacts, PeerFacts } from "./facts.ts";
import { probeCluster } from "./probe-cluster.ts";
import { probeFile, probeToken } from "./probe-files.ts";
import { probePeer } from "./probe-peer.ts";
import { probeSlurm } from "./probe-slurm.ts";

/** What `interlink status` and `interlink doctor` were told. The node's configuration says the rest. */
export interface OperateFlags {
  config?: string;
  name?: string;
  site?: string;
  kubeconfig?: string;
  context?: string;
  tokenFile?: string;
  siteCa?: string;
  plugin?: string;
  slurm?: string;
  /** `--no-cluster` */
  cluster: boolean;
  output: "text" | "json";
}

/** The world that is asked. */
export interface Gathering {
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
  /** Milliseconds. */
  now: () => number;
}

type Settings = NodeFileSettings & Partial<OperateFlags>;

/** Asks every hop at once, each with its own deadline. Throws only when it was told nothing to ask. */
export async function gatherFacts(flags: OperateFlags, world: Gathering): Promise<Facts> {
  const { env, signal, now } = world;
  const { settings, configuration } = await configured(flags, env);
  const { site, plugin, name, tokenFile } = { plugin: flags.plugin, ...settings };
  if (site === undefined && plugin === undefined && flags.slurm === undefined && !flags.cluster) {
    throw new CliError(
      "usage",
      "What shall be asked? Give --site, --plugin, --slurm or a cluster (leave --no-cluster out).",
    );
  }
  const [tls, unread] = await siteTls(settings);
  const [files, token, siteFacts, pluginFacts, cluster, slurm] = await Promise.all([
    secretFiles(settings),
    tokenFile === undefined ? undefined : probeToken(tokenFile),
    site === undefined
      ? undefined
      : probePeer(
          {
            address: site,
            peer: "server",
            tls,
            ...(tokenFile === undefined ? {} : { token: { file: tokenFile } }),
          },
          signal,
          now,
        ),
    plugin === undefined ? undefined : probePeer({ address: plugin, peer: "plugin" }, signal, now),
    flags.cluster ? probeCluster(credentials(settings), name, signal, now) : undefined,
    flags.slurm === undefined ? undefined : probeSlurm(flags.slurm, signal),
  ]);
  const problems = [...(configuration?.problems ?? []), ...unread];
  const siteOfNode = site === undefined ? await probeSiteOf(cluster, signal, now) : undefined;
  return {
    now: new Date(now()).toISOString(),
    ...(configuration === undefined && problems.length === 0
      ? {}
      : { configuration: { notices: [], ...configuration, problems } }),
    ...(token === undefined ? {} : { token }),
    files,
    ...(siteFacts === undefined ? {} : { site: siteFacts }),
    ...(siteOfNode === undefined ? {} : { site: siteOfNode }),
    ...(pluginFacts === undefined ? {} : { plugin: pluginFacts }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(slurm === undefined ? {} : { slurm }),
  };
}

/** The API server that the node says it has, asked without credentials: who may write the Node must not get them. */
async function probeSiteOf(
  cluster: Facts["cluster"],
  signal: AbortSignal,
  now: () => number,
): Promise<PeerFacts | undefined> {
  const node = cluster?.node?.ok === true ? cluster.node.value : undefined;
  if (node?.site === undefined) return undefined;
  return {
    ...(await probePeer({ address: node.site, peer: "server" }, signal, now)),
    isNodes: true,
  };
}

/** A configuration that cannot be used is a fact; what the flags say is asked all the same. */
async function configured(
  flags: OperateFlags,
  env: Gathering["env"],
): Promise<{ settings: Settings; configuration?: Facts["configuration"] }> {
  try {
    const { value, notices, file } = await loadConfig(
      readNodeConfig,
      NODE_CONFIG_PLACE,
      flags.config,
      env,
    );
    const settings = { ...nodeSettings(value), ...flags };
    if (file === undefined) return { settings };
    return { settings, configuration: { file, problems: [], notices } };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const problems =
      error.cause instanceof ConfigError ? error.message.split("\n") : [error.message];
    return { settings: flags, configuration: { problems, notices: [] } };
  }
}

/** PEM files that can be read; and sentences for those that cannot. */
async function siteTls({
  siteCa,
  siteCertificate,
  siteInsecure,
}: Settings): Promise<[TlsOptions, string[]]> {
  const problems: string[] = [];
  const read = async (file: string | undefined, what: string) => {
    if (file === undefined) return undefined;
    try {
      return await readFile(file, "utf8");
    } catch (error) {
      problems.push(`${file} (${what}) cannot be read: ${(error as Error).message}`);
      return undefined;
    }
  };
  const ca = await read(siteCa, "the site's authority");
  const cert = await read(siteCertificate?.cert, "the node's certificate");
  const key = await read(siteCertificate?.key, "its key");
  const tls: TlsOptions = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(siteInsecure === true ? { insecure: true } : {}),
  };
  return [tls, problems];
}

/** What only its owner should read. */
async function secretFiles({
  tokenFile,
  siteCertificate,
  kubeconfig,
  kubeletKey,
}: Settings): Promise<FileFacts[]> {
  const named: [string | undefined, string][] = [
    [tokenFile, "the token"],
    [siteCertificate?.key, "the key of TLS"],
    [kubeconfig, "the kubeconfig"],
    [kubeletKey, "the key of the kubelet API"],
  ];
  return Promise.all(
    named.flatMap(([file, what]) => (file === undefined ? [] : [probeFile(file, what)])),
  );
}

function credentials({ kubeconfig, context }: Settings) {
  if (kubeconfig === undefined) return "default" as const;
  return { kubeconfigFile: kubeconfig, ...(context === undefined ? {} : { context }) };
}
