import type { Provider, ProviderListener } from "@interlink/plugin-sdk";
import type {
  CreateAnswer,
  LogRequest,
  PingAnswer,
  RemotePodStatus,
  RetrievedPodData,
} from "@interlink/protocol";
import type { ContainerState, Pod } from "kubernetes-types/core/v1.js";

/** What every pod of a NullProvider has written. */
export const NULL_LOG = "one short line\n";
/** Pieces of 60 KB, as files are read. */
const LINES_AT_ONCE = 4000;

/**
 * A provider that runs nothing and keeps pods in memory: what is measured with it is everything but the resource. Pods
 * run from the moment of their create until their delete, unless `change` says otherwise.
 */
export class NullProvider implements Provider {
  readonly name = "null";
  readonly features = ["status-stream", "log-options"] as const;
  readonly #pods = new Map<string, RemotePodStatus>();
  readonly #listeners = new Set<ProviderListener>();

  async create({ pod }: RetrievedPodData): Promise<CreateAnswer> {
    const { uid = "", name = "", namespace = "" } = pod.metadata ?? {};
    if (!this.#pods.has(uid)) {
      const containers = (pod.spec?.containers ?? []).map(({ name, image = "" }) => ({
        name,
        image,
        imageID: "null",
        ready: true,
        started: true,
        restartCount: 0,
        containerID: `null://${uid}`,
        state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
      }));
      this.#tell({
        name,
        namespace,
        UID: uid,
        JID: uid,
        containers,
        initContainers: [],
        extension: { revision: 1, podIPs: ["127.0.0.1"] },
      });
    }
    return { PodUID: uid, PodJID: uid };
  }

  async delete(pod: Pod): Promise<void> {
    const { uid = "", name = "", namespace = "" } = pod.metadata ?? {};
    if (!this.#pods.delete(uid)) return;
    for (const listener of this.#listeners) listener.gone({ UID: uid, name, namespace });
  }

  async status(pods: readonly Pod[] | "all"): Promise<RemotePodStatus[]> {
    if (pods === "all") return [...this.#pods.values()];
    return pods.flatMap(({ metadata }) => this.#pods.get(metadata?.uid ?? "") ?? []);
  }

  /** One line, or as many as are asked for. */
  async *logs({ Opts: { Tail } }: LogRequest): AsyncGenerator<Uint8Array> {
    for (let left = Math.max(1, Tail); left > 0; left -= LINES_AT_ONCE) {
      yield Buffer.from(NULL_LOG.repeat(Math.min(left, LINES_AT_ONCE)));
    }
  }

  async ping(): Promise<PingAnswer> {
    return { status: "ok", resources: { cpu: "1000", memory: "1Ti", pods: "10000" } };
  }

  subscribe(listener: ProviderListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A change at the resource: all containers of the pod are in this state from now on. */
  change(uid: string, state: ContainerState): void {
    const known = this.#pods.get(uid);
    if (known === undefined) throw new Error(`no pod ${uid}`);
    this.#tell({
      ...known,
      containers: known.containers.map((one) => ({
        ...one,
        state,
        ready: state.running !== undefined,
        started: state.running !== undefined,
      })),
      extension: { ...known.extension, revision: (known.extension?.revision ?? 0) + 1 },
    });
  }

  #tell(status: RemotePodStatus): void {
    this.#pods.set(status.UID, status);
    for (const listener of this.#listeners) listener.status(status);
  }
}
