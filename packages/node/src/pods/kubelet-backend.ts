import {
  type AttachRequest,
  type LogRequest,
  offers,
  type PodStats,
  ProtocolError,
  ZERO_TIME,
} from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { InteractiveFeature, KubeletBackend } from "../kubelet-api/backend.ts";
import { KubeletError } from "../kubelet-api/kubelet-error.ts";
import type { ContainerLogOptions } from "../kubelet-api/log-options.ts";
import type { CommandOptions } from "../kubelet-api/streams/command-options.ts";
import type { RemoteSite } from "../remote/remote-site.ts";
import type { PodManager } from "./pod-manager.ts";

/** What the kubelet API shows: the pods that the manager holds, and logs, streams and usage from the site. */
export function createKubeletBackend(
  manager: Pick<PodManager, "pods">,
  site: Pick<RemoteSite, "capabilities" | "logs" | "exec" | "attach" | "portForward" | "stats">,
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
      if (options.stream !== undefined && !offers(site.capabilities, "log-streams")) {
        throw new KubeletError(
          "bad-request",
          `the site keeps stdout and stderr as one log; ask for it without stream=${options.stream}`,
        );
      }
      try {
        yield* await site.logs(logRequest(pod, container, options, extended), signal);
      } catch (error) {
        if (signal.aborted) return;
        throw kubeletError(error, "the site gives no log");
      }
    },
    requireOffer(feature) {
      if (!offers(site.capabilities, feature)) {
        throw new KubeletError("not-implemented", notOffered[feature]);
      }
    },
    exec: (pod, container, command, options, signal) =>
      inSite("exec", () =>
        site.exec(
          {
            ...processRequest(pod, container, options),
            Command: [...command],
            ...(options.size && { Size: options.size }),
          },
          signal,
        ),
      ),
    attach: (pod, container, options, signal) =>
      inSite("attach", () => site.attach(processRequest(pod, container, options), signal)),
    portForward: (pod, port, signal) =>
      inSite("port-forward", () => {
        const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
        return site.portForward(
          { Namespace: namespace, PodName: name, PodUID: uid, Port: port },
          signal,
        );
      }),
    async stats(signal) {
      if (!offers(site.capabilities, "stats")) return undefined;
      const { node, pods } = await site.stats(signal);
      return { node, pods: ours(manager.pods(), pods) };
    },
  };
}

const notOffered: Readonly<Record<InteractiveFeature, string>> = {
  exec: "the plugin behind this virtual node does not offer exec, so that no command can be run in its containers",
  attach:
    "the plugin behind this virtual node does not offer attach; kubectl logs shows the output",
  "port-forward": "the plugin behind this virtual node does not offer port-forward",
};

async function inSite<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw kubeletError(error, `the site could not ${what}`);
  }
}

function processRequest(pod: Pod, container: string, options: CommandOptions): AttachRequest {
  const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
  return {
    Namespace: namespace,
    PodName: name,
    PodUID: uid,
    ContainerName: container,
    Stdin: options.stdin,
    Stdout: options.stdout,
    Stderr: options.stderr,
    TTY: options.tty,
  };
}

/** Statistics of pods that are here, under the names that the cluster gave them. */
function ours(pods: readonly Pod[], told: readonly PodStats[]): { pod: Pod; stats: PodStats }[] {
  const byUid = new Map(pods.map((pod) => [pod.metadata?.uid ?? "", pod]));
  return told.flatMap((stats) => {
    const { uid } = stats.podRef;
    const pod = byUid.get(uid);
    if (pod === undefined) return [];
    const { name = "", namespace = "" } = pod.metadata ?? {};
    return [{ pod, stats: { ...stats, podRef: { name, namespace, uid } } }];
  });
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
      ...(options.stream === undefined ? {} : { Stream: options.stream }),
    },
  };
}

/** kubectl prints the message. */
function kubeletError(error: unknown, what: string): KubeletError {
  if (!(error instanceof ProtocolError)) return KubeletError.from(error);
  const status = error.code === "refused" ? error.httpStatus : undefined;
  const code = status === 400 ? "bad-request" : status === 404 ? "not-found" : "unavailable";
  return new KubeletError(code, `${what}: ${error.message}`, { cause: error });
}
