import { getEventListeners } from "node:events";
import { afterEach, expect, test, vi } from "vitest";
import { withDeadline } from "./with-deadline.ts";

const forever = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error));
  });

afterEach(() => {
  vi.useRealTimers();
});

test("an act that takes too long is told so, and leaves nothing on the parent", async () => {
  const parent = new AbortController();
  await expect(withDeadline(parent.signal, 1, forever)).rejects.toMatchObject({
    name: "TimeoutError",
  });
  expect(await withDeadline(parent.signal, 60_000, async () => 7)).toBe(7);
  expect(getEventListeners(parent.signal, "abort")).toEqual([]);
});

test("the parent's end is the act's, with its reason", async () => {
  const parent = new AbortController();
  const act = withDeadline(parent.signal, 60_000, forever);
  parent.abort(new Error("closing"));
  await expect(act).rejects.toThrow("closing");
  await expect(
    withDeadline(parent.signal, 60_000, async (signal) => signal.throwIfAborted()),
  ).rejects.toThrow("closing");
});

test("a deadline of many weeks is none that has passed", async () => {
  vi.useFakeTimers();
  const weeks = 10 * 7 * 24 * 3_600_000;
  const seen = withDeadline(new AbortController().signal, weeks, async (signal) => {
    vi.advanceTimersByTime(60_000);
    return signal.aborted;
  });
  expect(await seen).toBe(false);
});
