import type { Logger } from "pino";
import { PluginError } from "../plugin-error.ts";
import type { Provider } from "../provider.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import type { VolumeResolver } from "../volumes/pod-volumes.ts";
import type { Checkpoint } from "./checkpoints.ts";
import type { Clock } from "./clock.ts";

export interface ContainerProviderOptions {
  /** Short and lower-case, e.g. `docker`. */
  name: string;
  runtime: ContainerRuntime;
  /** Directory of this plugin's jobs; owned by one process at a time. */
  root: string;
  logger: Logger;
  clock?: Clock;
  /** Called right after each step of create and delete; for crash tests. */
  checkpoint?: (step: Checkpoint) => void;
  /** Volumes of kinds that the SDK does not write (hostPath, claims …). Without it such pods are rejected. */
  resolveVolume?: VolumeResolver;
  /** Address of the host, for `status.hostIP`. */
  hostIP?: string;
  /** How often everything is asked for anew, as a net under `onChange`. Default 10 s. */
  listIntervalMs?: number;
  /** Steps at the runtime at the same time (create, start …), over all pods. Default 32. */
  concurrency?: number;
  /** Image pulls at the same time, over all pods. Default 5. */
  concurrentPulls?: number;
}

/**
 * A `Provider` on anything that runs containers live: job store, one supervisor per pod, one question to the runtime
 * for all of them. `start()` throws what `runtime.start()` throws; an engine that falls silent later is retried.
 */
export function createContainerProvider(options: ContainerProviderOptions): Provider {
  throw new PluginError("internal", `The provider ${options.name} is not built yet.`);
}
