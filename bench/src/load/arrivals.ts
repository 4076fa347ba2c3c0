import { pause } from "@interlink/kube";

/** Begins `work` for every item at its time: so many per second, evenly, however long each takes. */
export async function arriving<T, R>(
  items: readonly T[],
  perSecond: number,
  signal: AbortSignal,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const begun = performance.now();
  const running: Promise<R>[] = [];
  for (const [index, item] of items.entries()) {
    await pause(begun + (index * 1000) / perSecond - performance.now(), signal);
    signal.throwIfAborted();
    const one = work(item);
    // Its error is told by the `all` below, perhaps much later.
    one.catch(() => undefined);
    running.push(one);
  }
  return Promise.all(running);
}
