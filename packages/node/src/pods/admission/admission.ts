import type { Node, Pod } from "kubernetes-types/core/v1.js";
import { type Rejection, rejection } from "./admit.ts";
import { type HostPort, hostPorts } from "./host-ports.ts";
import { type Amounts, podRequests } from "./pod-requests.ts";

/**
 * Who has a place on the node. A place is given once per pod, in the order of the questions, and held until the pod can
 * run nothing any more; a pod that has one keeps it, whatever becomes of the node.
 */
export class Admission {
  readonly #shares = new Map<string, Amounts>();
  /** Of the few pods that take any. */
  readonly #ports = new Map<string, readonly HostPort[]>();
  readonly #total = new Map<string, bigint>();

  /** Gives the pod a place, if the node has room for it. Without a node (none is known yet) it always has. */
  admit(pod: Pod, node: Node | undefined): Rejection | undefined {
    const uid = pod.metadata?.uid ?? "";
    if (this.#shares.has(uid)) return undefined;
    const verdict =
      node &&
      rejection(pod, node, {
        pods: this.#shares.size,
        amounts: this.#total,
        hostPorts: [...this.#ports.values()].flat(),
      });
    if (verdict === undefined) this.take(pod);
    return verdict;
  }

  /** Gives the pod a place without a question: it has been admitted before. */
  take(pod: Pod): void {
    const uid = pod.metadata?.uid ?? "";
    if (this.#shares.has(uid)) return;
    const share = podRequests(pod);
    const ports = hostPorts(pod);
    this.#shares.set(uid, share);
    if (ports.length > 0) this.#ports.set(uid, ports);
    this.#count(share, 1n);
  }

  /** The pod runs nothing any more: its place is free. */
  release(uid: string): void {
    const share = this.#shares.get(uid);
    if (share === undefined) return;
    this.#shares.delete(uid);
    this.#ports.delete(uid);
    this.#count(share, -1n);
  }

  #count(amounts: Amounts, sign: bigint): void {
    for (const [name, amount] of amounts) {
      this.#total.set(name, (this.#total.get(name) ?? 0n) + sign * amount);
    }
  }
}
