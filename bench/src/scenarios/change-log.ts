/**
 * Which changes were made and are not shown yet. Changes are numbered upwards; a pod that shows a later change has shown
 * the earlier ones as well, for a state that was passed over is no longer true.
 */
export class ChangeLog {
  readonly #waiting = new Map<string, { number: number; at: number }[]>();
  #latencies: number[] = [];
  #open = 0;

  /** Changes that are not shown yet. */
  get open(): number {
    return this.#open;
  }

  made(uid: string, number: number, at: number): void {
    const waiting = this.#waiting.get(uid) ?? [];
    waiting.push({ number, at });
    this.#waiting.set(uid, waiting);
    this.#open++;
  }

  shown(uid: string, number: number, at: number): void {
    const waiting = this.#waiting.get(uid) ?? [];
    for (
      let first = waiting[0];
      first !== undefined && first.number <= number;
      first = waiting[0]
    ) {
      this.#latencies.push(at - first.at);
      this.#open--;
      waiting.shift();
    }
  }

  /** From change to event, of all changes shown since the last call; in the unit of `at`. */
  take(): number[] {
    const taken = this.#latencies;
    this.#latencies = [];
    return taken;
  }
}
