/** Things to dispose in the opposite order of their making. (`AsyncDisposableStack` is newer than our oldest Node.) */
export class ReleaseStack implements AsyncDisposable {
  #parts: AsyncDisposable[] = [];

  use<T extends AsyncDisposable>(part: T): T {
    this.#parts.push(part);
    return part;
  }

  /** Hand what is here to a new owner. */
  move(): ReleaseStack {
    const owner = new ReleaseStack();
    owner.#parts = this.#parts;
    this.#parts = [];
    return owner;
  }

  /** Disposes everything, even when one part fails; then throws what failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = [];
    for (const part of this.#parts.splice(0).toReversed()) {
      try {
        await part[Symbol.asyncDispose]();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, "Several parts did not stop cleanly");
  }
}
