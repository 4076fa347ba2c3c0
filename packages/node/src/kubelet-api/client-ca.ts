import { isKubeError, type KubeClient, paths, pause } from "@interlink/kube";
import type { ConfigMap } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";

/**
 * The CA that signed the client certificates of this cluster's API server, as the cluster publishes it for servers
 * behind it (`kube-system/extension-apiserver-authentication`). Undefined when it is not there or may not be read
 * (Role `extension-apiserver-authentication-reader`): then only bearer tokens are accepted.
 */
export async function findClientCa(
  client: KubeClient,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = paths.configMaps.named("kube-system", "extension-apiserver-authentication");
  try {
    const published = await client.get<ConfigMap>(path, { signal });
    return published.data?.["client-ca-file"];
  } catch (error) {
    if (isKubeError(error, "not-found", "forbidden")) return undefined;
    throw error;
  }
}

export interface ClientCaOptions {
  /** Undefined: there is none that may be known. */
  find: (signal: AbortSignal) => Promise<string | undefined>;
  /** What is used now. */
  known: string | undefined;
  /** Told another one. */
  use: (clientCaPem: string) => void;
  logger: Logger;
  /** While there is none: an API server that has just started refuses what it allows later. Default 30 s. */
  missingMs?: number;
  /** Default 5 min. */
  everyMs?: number;
}

/** Asks again for the CA, so that a refusal is not for ever and a rotation is taken up. Never rejects. */
export async function followClientCa(options: ClientCaOptions, signal: AbortSignal): Promise<void> {
  const { find, use, logger, missingMs = 30_000, everyMs = 300_000 } = options;
  let { known } = options;
  if (known === undefined)
    logger.warn(
      "The CA of client certificates is not known, so that kubectl logs and exec are refused: bind the Role extension-apiserver-authentication-reader of kube-system to this node, or give the CA in a file.",
    );
  while (!signal.aborted) {
    await pause(known === undefined ? missingMs : everyMs, signal);
    if (signal.aborted) return;
    try {
      const found = await find(signal);
      if (found === undefined || found === known) continue;
      known = found;
      use(found);
      logger.info("The CA of client certificates is another one from now on.");
    } catch (err) {
      if (!signal.aborted)
        logger.debug({ err }, "The CA of client certificates cannot be asked for.");
    }
  }
}
