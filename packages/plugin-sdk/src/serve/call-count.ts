/** How many calls are under way, for a close that waits for them. */
export class CallCount {
  #calls = 0;
  #waiting: (() => void) | undefined;

  begin(): void {
    this.#calls += 1;
  }

  end(): void {
    this.#calls -= 1;
    if (this.#calls === 0) this.#waiting?.();
  }

  /** Resolves when there is none, at the latest after `milliseconds`. For one waiter. */
  async none(milliseconds: number): Promise<void> {
    if (this.#calls === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#waiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
