import { paths } from "@interlink/kube";
import type { RemotePodStatus } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { PodContext } from "./pod-context.ts";

interface Suspect {
  status: RemotePodStatus;
  timer: NodeJS.Timeout;
}

/**
 * Jobs at the site that this node created and that have no pod. None is touched before the pods were listed
 * completely, nor before the API server itself, asked twice some time apart, said that the pod does not exist
 * (kubelet-contract.md 3.12). Until then what the site tells about them is kept: the pod may only be late.
 */
export class Orphans {
  readonly #context: PodContext;
  readonly #confirmed: (pod: Pod, status: RemotePodStatus) => void;
  readonly #suspects = new Map<string, Suspect>();
  readonly #stop = new AbortController();
  #listed = false;

  /** `confirmed` gets a stand-in for the pod: name, namespace, UID, and a grace period of one second. */
  constructor(context: PodContext, confirmed: (pod: Pod, status: RemotePodStatus) => void) {
    this.#context = context;
    this.#confirmed = confirmed;
  }

  /** The pods of this node are known completely. */
  podsListed(): void {
    this.#listed = true;
  }

  /** The site tells of a job whose pod is not known here. */
  told(status: RemotePodStatus): void {
    const known = this.#suspects.get(status.UID);
    if (known) known.status = status;
    else if (this.#listed && this.#isOurs(status)) this.#suspect(status, 1);
  }

  /** The pod has come, or the job has gone. The answer is what the site told last. */
  clear(uid: string): RemotePodStatus | undefined {
    const suspect = this.#suspects.get(uid);
    clearTimeout(suspect?.timer);
    this.#suspects.delete(uid);
    return suspect?.status;
  }

  close(): void {
    this.#stop.abort();
    for (const uid of this.#suspects.keys()) this.clear(uid);
  }

  /** A site may serve many nodes, even ones of the same name in other clusters. */
  #isOurs({ extension }: RemotePodStatus): boolean {
    // Being deleted already: the plugin keeps that promise without us.
    if (extension?.deleting === true) return false;
    return extension?.createdBy !== undefined && extension.createdBy === this.#context.owner;
  }

  #suspect(status: RemotePodStatus, look: number): void {
    const { timing } = this.#context;
    const timer = setTimeout(() => void this.#look(status.UID, look), timing.orphanAfterMs);
    this.#suspects.set(status.UID, { status, timer });
  }

  async #look(uid: string, look: number): Promise<void> {
    const suspect = this.#suspects.get(uid);
    if (!suspect) return;
    const exists = await this.#podExists(suspect.status);
    if (this.#suspects.get(uid) !== suspect || this.#stop.signal.aborted) return;
    this.#suspects.delete(uid);
    if (exists === true) return;
    if (exists === undefined) this.#suspect(suspect.status, look);
    else if (look === 1) this.#suspect(suspect.status, 2);
    else this.#confirmed(standIn(suspect.status), suspect.status);
  }

  /**
   * `undefined`: the API server did not answer. Asked by a list of our own pods: a node may GET a pod only while it is
   * there, and for one that is not it would be refused, not told (Node authorizer since 1.32).
   */
  async #podExists({ name, namespace, UID }: RemotePodStatus): Promise<boolean | undefined> {
    const { client, nodeName } = this.#context;
    const fieldSelector = `spec.nodeName=${nodeName},metadata.name=${escaped(name)}`;
    try {
      const { items } = await client.list<Pod>(paths.pods.collection(namespace), {
        query: { fieldSelector },
        signal: this.#stop.signal,
      });
      return items.some(({ metadata }) => metadata?.uid === UID);
    } catch {
      return undefined;
    }
  }
}

/** The name is the site's word: it must not become another selector. */
function escaped(name: string): string {
  return name.replace(/[\\,=]/g, "\\$&");
}

function standIn({ name, namespace, UID }: RemotePodStatus): Pod {
  return {
    metadata: { name, namespace, uid: UID, deletionGracePeriodSeconds: 1 },
    spec: { containers: [] },
  };
}
