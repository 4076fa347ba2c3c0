import type { Pod } from "kubernetes-types/core/v1.js";
import { NODE_NAME } from "../parts/system.ts";

export const NAMESPACE = "default";

/**
 * A pod with one container that runs `command`. It is bound to the virtual node already, for the scheduler is the
 * cluster's, and it mounts no token: what is compared with it mounts none either.
 */
export function benchPod(name: string, command: readonly string[]): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      nodeName: NODE_NAME,
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 1,
      tolerations: [{ operator: "Exists" }],
      containers: [{ name: "main", image: "bench", command: [...command] }],
    },
  };
}

/** A command that leaves a file named `name` in `directory` when it begins, and then sleeps. */
export function stampedSleep(directory: string, name: string, seconds: number): string[] {
  return ["/bin/sh", "-c", ': >"$0/$1"; exec sleep "$2"', directory, name, String(seconds)];
}
