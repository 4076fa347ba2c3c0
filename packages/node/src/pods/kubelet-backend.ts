import { type LogRequest, offers, ProtocolError, ZERO_TIME } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { type KubeletBackend, KubeletError } from "../kubelet-api/backend.ts";
import type { ContainerLogOptions } from "../kubelet-api/log-options.ts";
import type { RemoteSite } from "../remote/remote-site.ts";
import type { PodManager } from "./pod-manager.ts";

/** What the kubelet API shows: the pods that the manager holds, and logs from the site. */
export function createKubeletBackend(
  manager: Pick<PodManager, "pods">,
  site: Pick<RemoteSite, "capabilities" | "logs">,
): KubeletBackend {
  return {
    pods: () => manager.pods(),
    pod: (namespace, name) =>
      manager
        .pods()
        .find(({ metadata }) => metadata?.name === name && metadata.namespace === namespace),
    async *logs(pod, container, options, signal) {
      const extended = offers(site.capabilities, "log-options");
      if (!extended && options.tailLines === 0 && !options.follow) return;
      try {
        yield* await site.logs(logRequest(pod, container, options, extended), signal);
      } catch (error) {
        if (signal.aborted) return;
        throw kubeletError(error);
      }
    },
  };
}

/**
 * A log request of the wire. Peers without `log-options` take 0 as "not set" and refuse Tail and Bytes together
 * (interlink-wire-and-node.md 4.6): from these the tail is asked, and the kubelet API cuts the bytes itself; following
 * without old lines becomes following from a second ago.
 */
export function logRequest(
  pod: Pod,
  container: string,
  options: ContainerLogOptions,
  extended: boolean,
): LogRequest {
  const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
  const { tailLines, limitBytes = 0, sinceTime = ZERO_TIME } = options;
  const onlyNew = !extended && tailLines === 0 && sinceTime === ZERO_TIME;
  return {
    Namespace: namespace,
    PodUID: uid,
    PodName: name,
    ContainerName: container,
    Opts: {
      Tail: tailLines ?? 0,
      Bytes: extended || !tailLines ? limitBytes : 0,
      Timestamps: options.timestamps,
      Follow: options.follow,
      Previous: options.previous,
      SinceSeconds: options.sinceSeconds ?? (onlyNew ? 1 : 0),
      SinceTime: sinceTime,
      ...(extended && tailLines !== undefined ? { TailIsSet: true } : {}),
    },
  };
}

/** `kubectl logs` prints the message. */
function kubeletError(error: unknown): KubeletError {
  if (!(error instanceof ProtocolError)) return KubeletError.from(error);
  const status = error.code === "refused" ? error.httpStatus : undefined;
  const code = status === 400 ? "bad-request" : status === 404 ? "not-found" : "unavailable";
  return new KubeletError(code, `the site gives no log: ${error.message}`, { cause: error });
}
