import { type Cluster, startCluster } from "@interlink/cluster";
import { startVirtualNode } from "@interlink/node";
import { servePlugin } from "@interlink/plugin-sdk";
import { startServer } from "@interlink/server";
import type { Logger } from "pino";
import { buildProvider } from "../build-provider.ts";
import type { ChosenPlugin } from "./choose-plugin.ts";
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
  signal: AbortSignal;
  /** Told before each part is started. */
  progress: (text: string) => void;
}

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
  const logger = (part: string) => options.logger.child({ part });
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
    }),
  );
  signal.throwIfAborted();

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
    await startCluster({ directory: state.kubeconfigDirectory, port, logger: logger("cluster") }),
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
