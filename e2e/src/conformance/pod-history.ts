import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { Kubectl } from "../harness/kubectl.ts";

/** One change of a pod, as a watch told it. */
export interface PodChange {
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: Pod;
}

type Listener = (change: PodChange) => void;

/**
 * All that `kubectl get pods --watch` has told of the default namespace. Waiting for a state by it misses none, however
 * short, and costs no process per question.
 */
export class PodHistory implements AsyncDisposable {
  readonly #child: ReturnType<Kubectl["start"]>;
  readonly #changes = new Map<string, PodChange[]>();
  readonly #listeners = new Set<Listener>();
  #stderr = "";

  constructor(kubectl: Kubectl) {
    const child = kubectl.start(["get", "pods", "--watch", "--output-watch-events", "-o", "json"]);
    this.#child = child;
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    // One change a line.
    createInterface(child.stdout).on("line", (line) => this.#take(JSON.parse(line) as PodChange));
  }

  /** What happened to the pod of this name so far, the oldest first. */
  of(name: string): readonly PodChange[] {
    return this.#changes.get(name) ?? [];
  }

  /** All states that the pod was seen in, the oldest first. */
  states(name: string): Pod[] {
    return this.of(name).map(({ object }) => object);
  }

  /** The first change from number `from` on, those to come included, that `is` holds of. Default: from the latest on. */
  until(
    name: string,
    is: (change: PodChange) => unknown,
    timeoutMs: number,
    from = Math.max(0, this.of(name).length - 1),
  ): Promise<PodChange> {
    const before = this.of(name).slice(from).find(is);
    if (before !== undefined) return Promise.resolve(before);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
      };
      const listener: Listener = (change) => {
        if (change.object.metadata?.name !== name) return;
        try {
          if (!is(change)) return;
          resolve(change);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
        end();
      };
      const timer = setTimeout(() => {
        end();
        const now = JSON.stringify(this.of(name).at(-1)?.object.status);
        reject(
          new Error(`Waited ${timeoutMs / 1000} s in vain. Its status: ${now} ${this.#stderr}`),
        );
      }, timeoutMs);
      this.#listeners.add(listener);
    });
  }

  #take(change: PodChange): void {
    const name = change.object.metadata?.name ?? "";
    this.#changes.set(name, [...this.of(name), change]);
    for (const listener of this.#listeners) listener(change);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await closed;
  }
}
