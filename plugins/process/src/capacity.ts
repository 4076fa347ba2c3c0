import { availableParallelism, totalmem } from "node:os";
import type { RuntimeCapacity } from "@interlink/plugin-sdk";

const DEFAULT_PODS = 1000;

/** What the host has, in Kubernetes quantities. */
export function hostCapacity(pods = DEFAULT_PODS): RuntimeCapacity {
  return {
    cpu: String(availableParallelism()),
    memory: `${Math.trunc(totalmem() / 1024)}Ki`,
    pods: String(pods),
  };
}
