import type { ContainerHandle } from "@interlink/plugin-sdk";
import type { ProcessContainer } from "./process-container.ts";

type Key = Omit<ContainerHandle, "id">;

/** The containers known, by pod: no question about one pod looks at the others. */
export class ContainerIndex {
  readonly #pods = new Map<string, Map<string, ProcessContainer>>();

  uids(): Iterable<string> {
    return this.#pods.keys();
  }

  ofPod(uid: string): ProcessContainer[] {
    return [...(this.#pods.get(uid)?.values() ?? [])];
  }

  find(handle: Key): ProcessContainer | undefined {
    return this.#pods.get(handle.uid)?.get(inPod(handle));
  }

  add(container: ProcessContainer): void {
    const { uid } = container.info;
    const pod = this.#pods.get(uid) ?? new Map<string, ProcessContainer>();
    this.#pods.set(uid, pod.set(inPod(container.handle), container));
  }

  remove(container: ProcessContainer): void {
    const { uid } = container.info;
    const pod = this.#pods.get(uid);
    pod?.delete(inPod(container.handle));
    if (pod?.size === 0) this.#pods.delete(uid);
  }
}

function inPod({ containerName, attempt }: Key): string {
  return `${containerName}/${attempt}`;
}
