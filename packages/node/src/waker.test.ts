import { expect, test } from "vitest";
import { Waker } from "./waker.ts";

const LONG = 3_600_000;
const never = new AbortController().signal;

test("ends the pause that is on", async () => {
  const waker = new Waker();
  const pause = waker.pause(LONG, never);
  waker.wake();
  await pause;
});

test("spares one pause when woken before it, and only one", async () => {
  const waker = new Waker();
  waker.wake();
  waker.wake();
  await waker.pause(LONG, never);
  const stop = new AbortController();
  const next = waker.pause(LONG, stop.signal).then(() => "woken");
  const soon = new Waker().pause(1, never).then(() => "still asleep");
  expect(await Promise.race([next, soon])).toBe("still asleep");
  stop.abort();
});

test("ends with its signal, before and during a pause", async () => {
  const waker = new Waker();
  const stop = new AbortController();
  const pause = waker.pause(LONG, stop.signal);
  stop.abort();
  await pause;
  await waker.pause(LONG, stop.signal);
});
