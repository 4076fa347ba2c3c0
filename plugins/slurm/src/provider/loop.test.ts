import type { Clock } from "@interlink/plugin-sdk";
import { describe, expect, test } from "vitest";
import { Loop } from "./loop.ts";

/** A clock that moves when it is told to. */
class TestClock implements Clock {
  #now = 0;
  readonly #due = new Map<() => void, number>();

  now(): number {
    return this.#now;
  }

  at(time: number, work: () => void): () => void {
    this.#due.set(work, time);
    return () => void this.#due.delete(work);
  }

  async to(time: number): Promise<void> {
    this.#now = time;
    for (const [work, due] of this.#due) {
      if (due <= time && this.#due.delete(work)) work();
    }
    // The loop goes on in microtasks.
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }
}

async function started(leastMs?: number) {
  const clock = new TestClock();
  const begun: number[] = [];
  const work = async (): Promise<void> => void begun.push(clock.now());
  const loop = new Loop(clock, () => 5000, work, leastMs);
  loop.start();
  await clock.to(0);
  return { clock, begun, loop };
}

describe("a loop", () => {
  test("pauses between times", async () => {
    const { clock, begun, loop } = await started();
    for (const time of [4999, 5000, 9999, 10_000]) await clock.to(time);
    expect(begun).toEqual([0, 5000, 10_000]);
    await loop.close();
  });

  test("begins at once when it is woken and may", async () => {
    const { clock, begun, loop } = await started(1500);
    await clock.to(2000);
    loop.wake();
    await clock.to(2000);
    expect(begun).toEqual([0, 2000]);
    await loop.close();
  });

  test("does not begin more often than it may, however often it is woken", async () => {
    const { clock, begun, loop } = await started(1500);
    for (let time = 0; time <= 6000; time += 100) {
      await clock.to(time);
      loop.wake();
    }
    expect(begun).toEqual([0, 1500, 3000, 4500, 6000]);
    await loop.close();
  });

  test("forgets no wake that came during its work", async () => {
    const clock = new TestClock();
    let rounds = 0;
    const loop: Loop = new Loop(
      clock,
      () => 5000,
      async () => {
        if (++rounds === 1) loop.wake();
      },
      1500,
    );
    loop.start();
    await clock.to(0);
    await clock.to(1499);
    expect(rounds).toBe(1);
    await clock.to(1500);
    expect(rounds).toBe(2);
    await loop.close();
  });

  test("ends at once when it is closed in a pause", async () => {
    const { clock, begun, loop } = await started(1500);
    await clock.to(100);
    await loop.close();
    await clock.to(20_000);
    expect(begun).toEqual([0]);
  });
});
