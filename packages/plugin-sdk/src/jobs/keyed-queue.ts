/** Runs tasks of one key one after another; tasks of different keys do not wait for each other. */
export class KeyedQueue {
  readonly #tails = new Map<string, Promise<unknown>>();

  /** Result or error of `task`, once the tasks given before it for this key are over. */
  run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const result = before.then(task);
    const over = (): void => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    };
    const tail = result.then(over, over);
    this.#tails.set(key, tail);
    return result;
  }

  /** Resolves when everything given so far is over. */
  async idle(): Promise<void> {
    await Promise.all(this.#tails.values());
  }
}
