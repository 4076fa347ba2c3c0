const MAX_PODS = 100_000;

/**
 * In which namespace each pod is, by creates and the plugin's own stream; not by answers to questions, in which old
 * plugins repeat the namespace of the question. What is heard first stays. Bounded; the oldest goes first.
 */
export class PodNamespaces {
  private readonly known = new Map<string, string>();

  learn(uid: string, namespace: string): void {
    if (uid === "" || namespace === "" || this.known.has(uid)) return;
    const [oldest] = this.known.keys();
    if (oldest !== undefined && this.known.size >= MAX_PODS) this.known.delete(oldest);
    this.known.set(uid, namespace);
  }

  of(uid: string): string | undefined {
    return this.known.get(uid);
  }

  forget(uid: string): void {
    this.known.delete(uid);
  }
}
