/** Remembers values for a while, and only so many of them: the oldest go first. */
export class ExpiringMap<V> {
  readonly #limit: number;
  readonly #now: () => number;
  readonly #entries = new Map<string, { value: V; untilMs: number }>();

  constructor(limit: number, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.untilMs > this.#now()) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: string, value: V, forMs: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, untilMs: this.#now() + forMs });
    if (this.#entries.size <= this.#limit) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}
