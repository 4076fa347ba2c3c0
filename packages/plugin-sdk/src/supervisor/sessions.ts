import type {
  AttachRequest,
  ExecRequest,
  Feature,
  PortConnection,
  PortForwardRequest,
  ProcessStreams,
} from "@interlink/protocol";
import { PluginError } from "../plugin-error.ts";
import type {
  ContainerHandle,
  ContainerRuntime,
  StreamRequest,
} from "../runtime/container-runtime.ts";
import { RuntimeError } from "../runtime/runtime-error.ts";
import type { PlannedPod } from "./planned-pod.ts";
import type { PodRecord } from "./record.ts";
import { containerRecord } from "./record.ts";

/** What is known of a pod; `undefined`: it is not here. */
export type FindPod = (uid: string) => { plan: PlannedPod; record: PodRecord } | undefined;

/** What a runtime can do beyond running containers. */
export function runtimeFeatures(runtime: ContainerRuntime): Feature[] {
  const offered = {
    exec: "openExec",
    attach: "openAttach",
    "port-forward": "connect",
    stats: "stats",
  } as const;
  const features = ["exec", "attach", "port-forward", "stats"] as const;
  return [
    ...features.filter((feature) => runtime[offered[feature]] !== undefined),
    ...(runtime.keepsStreamsApart === true ? (["log-streams"] as const) : []),
  ];
}

/**
 * The interactive sessions of a provider's pods. A session ends when its caller goes, when its process does (the
 * runtime sees to that, also when the container ends), when its pod has gone, and when the plugin closes.
 */
export class Sessions {
  readonly #runtime: ContainerRuntime;
  readonly #find: FindPod;
  readonly #open = new Map<string, Set<AbortController>>();

  constructor(runtime: ContainerRuntime, find: FindPod) {
    this.#runtime = runtime;
    this.#find = find;
  }

  async exec(request: ExecRequest, signal: AbortSignal): Promise<ProcessStreams> {
    const handle = this.#running(request);
    const { Command: command, Size: size } = request;
    const wanted = { command, ...streamsOf(request), ...(size && { size }) };
    return this.#process(request, signal, (own) => {
      if (this.#runtime.openExec === undefined) throw notOffered("exec");
      return this.#runtime.openExec(handle, wanted, own);
    });
  }

  async attach(request: AttachRequest, signal: AbortSignal): Promise<ProcessStreams> {
    const handle = this.#running(request);
    return this.#process(request, signal, (own) => {
      if (this.#runtime.openAttach === undefined) throw notOffered("attach");
      return this.#runtime.openAttach(handle, streamsOf(request), own);
    });
  }

  async portForward(request: PortForwardRequest, signal: AbortSignal): Promise<PortConnection> {
    const { PodUID: uid, PodName: name, Namespace: namespace, Port: port } = request;
    const pod = this.#find(uid);
    const runs =
      pod?.plan.all.some(
        (one) => containerRecord(pod.record, one.name).current?.state === "running",
      ) ?? false;
    if (!runs) throw new PluginError("not-found", `pod not found ("${name}_${namespace}")`);
    if (this.#runtime.connect === undefined) throw notOffered("port-forward");
    const session = this.#begin(uid, signal);
    try {
      const connection = await this.#runtime.connect(uid, port, session.signal);
      const end = (): void => {
        connection.destroy();
      };
      session.signal.addEventListener("abort", end);
      connection.once("close", () => session.end());
      if (session.signal.aborted) end();
      return connection;
    } catch (error) {
      session.end();
      throw asPluginError(error);
    }
  }

  /** The pod has gone: nothing of it may be held open. */
  endAll(uid: string): void {
    for (const one of this.#open.get(uid) ?? []) {
      one.abort(new PluginError("not-found", "The pod has gone."));
    }
  }

  close(): void {
    for (const uid of this.#open.keys()) this.endAll(uid);
  }

  async #process(
    { PodUID: uid, ContainerName: name }: AttachRequest,
    signal: AbortSignal,
    open: (signal: AbortSignal) => Promise<ProcessStreams>,
  ): Promise<ProcessStreams> {
    const session = this.#begin(uid, signal);
    let streams: ProcessStreams;
    try {
      streams = await open(session.signal);
    } catch (error) {
      session.end();
      throw asPluginError(error, name);
    }
    const close = (): void => streams.close();
    session.signal.addEventListener("abort", close);
    if (session.signal.aborted) close();
    void streams.ended.then(() => session.end());
    return streams;
  }

  /** The container's newest attempt, if it runs; in a kubelet's words if not. */
  #running({ PodUID: uid, ContainerName: name }: AttachRequest): ContainerHandle {
    const pod = this.#find(uid);
    if (pod === undefined) throw new PluginError("not-found", "pod does not exist");
    const current = pod.plan.all.some((one) => one.name === name)
      ? containerRecord(pod.record, name).current
      : undefined;
    if (current?.state !== "running") throw notFound(name);
    return { uid, containerName: name, attempt: current.attempt, id: current.id };
  }

  #begin(uid: string, caller: AbortSignal): { signal: AbortSignal; end: () => void } {
    const controller = new AbortController();
    const giveUp = (): void => controller.abort(caller.reason);
    caller.addEventListener("abort", giveUp);
    if (caller.aborted) giveUp();
    const own = this.#open.get(uid) ?? new Set();
    this.#open.set(uid, own.add(controller));
    return {
      signal: controller.signal,
      end: () => {
        caller.removeEventListener("abort", giveUp);
        own.delete(controller);
        if (own.size === 0 && this.#open.get(uid) === own) this.#open.delete(uid);
      },
    };
  }
}

function streamsOf({ Stdin, Stdout, Stderr, TTY }: AttachRequest): StreamRequest {
  return { stdin: Stdin, stdout: Stdout, stderr: Stderr, tty: TTY };
}

function notFound(container: string): PluginError {
  return new PluginError("not-found", `container not found ("${container}")`);
}

function notOffered(feature: Feature): PluginError {
  return new PluginError("unsupported", `This runtime offers no ${feature}.`);
}

/** The engine's words reach the user; that a container has ended in the meantime is told as if it had been known. */
function asPluginError(error: unknown, container?: string): unknown {
  if (!(error instanceof RuntimeError)) return error;
  const { code, message, cause = error } = error;
  if (code === "NotRunning" && container !== undefined) return notFound(container);
  if (code === "Unavailable") return new PluginError("unavailable", message, { cause });
  return new PluginError("rejected", message, { cause });
}
