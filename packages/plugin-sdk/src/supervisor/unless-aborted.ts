/** Waits for work that goes on when the waiting is given up: then it throws the signal's reason. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let leave = (): void => undefined;
  const gone = new Promise<never>((_, reject) => {
    leave = () => reject(asError(signal.reason));
  });
  signal.addEventListener("abort", leave, { once: true });
  // The one who gives up waiting takes no interest in how the work ends.
  work.catch(() => undefined);
  try {
    signal.throwIfAborted();
    return await Promise.race([work, gone]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("aborted");
}
