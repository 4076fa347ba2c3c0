import { join } from "node:path";
import { startCluster } from "@interlink/cluster";
import type { ClusterTarget } from "./test-cluster.ts";

/** The cluster of `interlink up`, in the process of the test. */
export const embeddedCluster: ClusterTarget = {
  title: "embedded cluster",
  kind: "embedded",
  start: async (directory, options = {}) => {
    const cluster = await startCluster({ directory, ...options });
    const { kubeconfigFile } = cluster;
    return {
      kubeconfigFile,
      clientCaFile: join(directory, "ca.crt"),
      credentialsFor: (user) => cluster.credentialsFor(user),
      pause: () => cluster.pause(),
      resume: () => cluster.resume(),
      forgetHistory: async () => cluster.compact(),
      close: () => cluster.close(),
    };
  },
};
