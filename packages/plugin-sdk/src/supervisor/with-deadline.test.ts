import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { withDeadline } from "./with-deadline.ts";

const forever = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error));
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
