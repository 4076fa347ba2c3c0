import { fileURLToPath } from "node:url";
import type { ContainerProviderOptions, Provider } from "@interlink/plugin-sdk";
import { createContainerProvider } from "@interlink/plugin-sdk";
import { checkPorts } from "./check-ports.ts";
import type { ProcessRuntimeOptions } from "./process-runtime.ts";
import { ProcessRuntime } from "./process-runtime.ts";

/** Where jobs are kept, and what processes get of this host. */
export type ProcessProviderOptions = Omit<ContainerProviderOptions, "name" | "runtime"> &
  Omit<ProcessRuntimeOptions, "scripts"> & {
    /** Directory with `run-container.sh`, `enter-volumes.sh` and `spawn.mjs`. Default: the package's own. */
    scripts?: string;
  };

/** Pods as processes of this host, for laptops without a container engine and for tests. Isolates nothing. */
export function createProcessProvider(options: ProcessProviderOptions): Provider {
  const { root, logger, pods, address, namespaces } = options;
  const runtime = new ProcessRuntime({
    root,
    logger,
    scripts: options.scripts ?? fileURLToPath(new URL("../runner/", import.meta.url)),
    ...(pods !== undefined && { pods }),
    ...(address !== undefined && { address }),
    ...(namespaces !== undefined && { namespaces }),
  });
  return createContainerProvider({
    ...options,
    name: "process",
    runtime,
    checkPod: checkPorts,
    hostIP: options.hostIP ?? address ?? "127.0.0.1",
  });
}
