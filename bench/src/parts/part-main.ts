import { startCluster } from "@interlink/cluster";
import { findKubernetes, KubernetesCluster, NullProvider } from "@interlink/e2e";
import { servePlugin } from "@interlink/plugin-sdk";
import { pino } from "pino";

// The parts that have no command of their own: `node part-main.js cluster DIRECTORY`, `… kubernetes DIRECTORY`,
// `… null-plugin SOCKET`. A process each, so that their memory and CPU time are their own.

const [, , part = "", where = ""] = process.argv;
const logger = pino({ name: part, base: { part } });
const stop = new Promise<void>((resolve) => {
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => resolve());
});

if (part === "cluster") {
  await using cluster = await startCluster({ directory: where, logger });
  logger.info({ address: cluster.url, kubeconfig: cluster.kubeconfigFile }, "ready");
  await stop;
} else if (part === "kubernetes") {
  const cluster = await KubernetesCluster.start(await findKubernetes(), where);
  logger.info({ kubeconfig: cluster.kubeconfigFile }, "ready");
  await stop;
  await cluster.close();
} else {
  await using plugin = await servePlugin(new NullProvider(), {
    listen: { unixSocket: where },
    logger,
  });
  logger.info({ address: plugin.address }, "ready");
  await stop;
}
