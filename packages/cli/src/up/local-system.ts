import { type Cluster, startCluster } from "@interlink/cluster";
import { startVirtualNode } from "@interlink/node";
import { type LogScope, PluginError, servePlugin } from "@interlink/plugin-sdk";
import { startServer } from "@interlink/server";
import type { Logger } from "pino";
import { buildProvider } from "../build-provider.ts";
import { CliError } from "../cli-error.ts";
import type { ChosenPlugin } from "./choose-plugin.ts";
import { clearLeftovers } from "./leftovers.ts";
import { ReleaseStack } from "./release-stack.ts";
import type { StateDirectory } from "./state-directory.ts";

/** Name of the Node object of `interlink up`. */
export const NODE_NAME = "interlink";

/** What a local system is made of. */
export interface LocalSystemOptions {
  state: StateDirectory;
  chosen: ChosenPlugin;
  /** Of this program. */
  version: string;
  /** Of the Kubernetes API; 0: any free one. */
  port: number;
  logger: Logger;
  /** Completes the lines of that log. */
  scope: LogScope;
  signal: AbortSignal;
  /** Told before each part is started. */
  progress: (text: string) => void;
  /** Told what the person should know for longer. */
  notice: (text: string) => void;
}

/** Longest that pods of an earlier run get to end before this one starts beside them. */
const LEFTOVERS_MS = 15_000;

/** A whole system in this process: plugin, API server, embedded cluster, virtual node. */
export interface LocalSystem extends AsyncDisposable {
  cluster: Cluster;
}

/**
 * Starts the parts from the resource upwards, so that each finds what it talks to. What was started is stopped again, in
 * the opposite order, when a later part fails to start, or by disposing.
 */
export async function startLocalSystem(options: LocalSystemOptions): Promise<LocalSystem> {
  const { state, chosen, port, version, signal, progress } = options;
  const logger = (name: string) => options.logger.child({ name });
  await using parts = new ReleaseStack();

  progress(`starting the ${chosen.plugin} plugin`);
  const provider = await buildProvider(chosen.plugin, {
    root: state.jobs,
    logger: logger("plugin"),
    ...(chosen.dockerHost ? { dockerHost: chosen.dockerHost } : {}),
  });
  parts.use(
    await servePlugin(provider, {
      listen: { unixSocket: state.pluginSocket },
      logger: logger("plugin"),
      scope: options.scope,
      signal,
    }).catch(alreadyUp(state)),
  );
  signal.throwIfAborted();
  const time = AbortSignal.any([signal, AbortSignal.timeout(LEFTOVERS_MS)]);
  const left = await clearLeftovers(provider, time, progress);
  signal.throwIfAborted();
  if (left.length > 0)
    options.notice(`An earlier run left pods that do not end: ${left.join(", ")}.`);

  progress("starting the API server");
  parts.use(
    await startServer({
      listen: { unixSocket: state.serverSocket },
      plugin: { address: `unix://${state.pluginSocket}` },
      logger: logger("server"),
    }),
  );
  signal.throwIfAborted();

  progress("starting the Kubernetes API");
  const cluster = parts.use(
    await startCluster({
      directory: state.kubeconfigDirectory,
      port,
      logger: logger("cluster"),
    }).catch(portTaken(port)),
  );
  signal.throwIfAborted();

  progress("starting the virtual node");
  parts.use(
    await startVirtualNode({
      nodeName: NODE_NAME,
      version,
      kube: { kubeconfigYaml: cluster.kubeconfigYaml },
      site: { address: `unix://${state.serverSocket}` },
      // On a cluster of one node a taint would only be in the way of `kubectl run`.
      defaultTaint: false,
      nodeAddress: "127.0.0.1",
      kubelet: { host: "127.0.0.1", port: 0, clientCaPem: cluster.clientCaPem },
      logger: logger("node"),
      signal,
    }),
  );
  const owned = parts.move();
  return { cluster, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

function portTaken(port: number) {
  return (error: unknown): never => {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new CliError(
      "busy",
      `Port ${port} is in use by another program. Give another --port; 0 takes any free one.`,
      { cause: error },
    );
  };
}

/** The plugin's own sentence is for whoever gave it a directory; here the directory follows from the name. */
function alreadyUp({ path }: StateDirectory) {
  return (error: unknown): never => {
    if (!(error instanceof PluginError) || error.code !== "conflict") throw error;
    throw new CliError(
      "busy",
      `Another "interlink up" keeps its files in ${path}. Stop it, or start this one with a --name of its own.`,
      { cause: error },
    );
  };
}
