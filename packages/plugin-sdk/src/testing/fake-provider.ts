import type {
  AttachRequest,
  CreateAnswer,
  ExecRequest,
  Feature,
  LogRequest,
  PingAnswer,
  PortConnection,
  PortForwardRequest,
  ProcessStreams,
  RemotePodStatus,
  RetrievedPodData,
  StatsAnswer,
} from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { Provider, ProviderListener } from "../provider.ts";

/** A provider whose every answer a test sets, and that remembers what reached it. */
export class FakeProvider implements Provider {
  readonly name = "fake";
  features: readonly Feature[] = ["status-stream", "log-options"];
  readonly calls: string[] = [];
  readonly listeners = new Set<ProviderListener>();
  closed = false;
  /** Absent: it takes no updates. */
  update?: NonNullable<Provider["update"]>;
  aboutPod?: NonNullable<Provider["aboutPod"]>;

  onCreate: (data: RetrievedPodData, signal: AbortSignal) => Promise<CreateAnswer> = async (
    data,
  ) => ({ PodUID: data.pod.metadata?.uid ?? "", PodJID: "17" });
  onDelete: (pod: Pod, signal: AbortSignal) => Promise<void> = async () => undefined;
  onStatus: (pods: readonly Pod[] | "all", signal: AbortSignal) => Promise<RemotePodStatus[]> =
    async () => [];
  onLogs: (request: LogRequest, signal: AbortSignal) => AsyncIterable<Uint8Array> =
    async function* () {};
  onExec: (request: ExecRequest, signal: AbortSignal) => Promise<ProcessStreams> = notSet;
  onAttach: (request: AttachRequest, signal: AbortSignal) => Promise<ProcessStreams> = notSet;
  onPortForward: (request: PortForwardRequest, signal: AbortSignal) => Promise<PortConnection> =
    notSet;
  onStats: (signal: AbortSignal) => Promise<StatsAnswer> = notSet;
  onPing: (signal: AbortSignal) => Promise<PingAnswer> = async () => ({ status: "ok" });

  create(data: RetrievedPodData, signal: AbortSignal): Promise<CreateAnswer> {
    this.calls.push("create");
    return this.onCreate(data, signal);
  }
  delete(pod: Pod, signal: AbortSignal): Promise<void> {
    this.calls.push("delete");
    return this.onDelete(pod, signal);
  }
  status(pods: readonly Pod[] | "all", signal: AbortSignal): Promise<RemotePodStatus[]> {
    this.calls.push("status");
    return this.onStatus(pods, signal);
  }
  logs(request: LogRequest, signal: AbortSignal): AsyncIterable<Uint8Array> {
    this.calls.push("logs");
    return this.onLogs(request, signal);
  }
  exec(request: ExecRequest, signal: AbortSignal): Promise<ProcessStreams> {
    this.calls.push("exec");
    return this.onExec(request, signal);
  }
  attach(request: AttachRequest, signal: AbortSignal): Promise<ProcessStreams> {
    this.calls.push("attach");
    return this.onAttach(request, signal);
  }
  portForward(request: PortForwardRequest, signal: AbortSignal): Promise<PortConnection> {
    this.calls.push("portForward");
    return this.onPortForward(request, signal);
  }
  stats(signal: AbortSignal): Promise<StatsAnswer> {
    return this.onStats(signal);
  }
  ping(signal: AbortSignal): Promise<PingAnswer> {
    return this.onPing(signal);
  }
  subscribe(listener: ProviderListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  async close(): Promise<void> {
    this.closed = true;
  }

  /** Tell every subscriber. */
  tell(tell: (listener: ProviderListener) => void): void {
    for (const listener of this.listeners) tell(listener);
  }
}

async function notSet(): Promise<never> {
  throw new Error("the test has not said what to answer");
}

/** The status of a pod whose one container runs. */
export function runningStatus(UID: string, revision?: number): RemotePodStatus {
  return {
    name: `pod-${UID}`,
    namespace: "default",
    UID,
    JID: "17",
    containers: [
      {
        name: "main",
        image: "busybox",
        imageID: "",
        ready: true,
        restartCount: 0,
        state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
      },
    ],
    initContainers: [],
    ...(revision !== undefined && { extension: { revision } }),
  };
}
