import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KubeError } from "./errors.ts";
import { eventually } from "./testing/eventually.ts";
import { WorkQueue, type WorkQueueOptions } from "./work-queue.ts";

/** Work that ends when the test says so. */
function gate(): { promise: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

const quick = { firstMs: 1, capMs: 2, jitter: 0 };

describe("WorkQueue", () => {
  it("never works on a key twice at once, and works on it after the last time it was added", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.nat(2)), { maxLength: 40 }),
        fc.array(fc.boolean()),
        async (concurrency, adds, failures) => {
          const wanted = new Map<string, number>();
          const done = new Map<string, number>();
          const running = new Set<string>();
          let overlaps = 0;
          let most = 0;
          await using queue = new WorkQueue({
            concurrency,
            backoff: quick,
            work: async (key) => {
              if (running.has(key)) overlaps += 1;
              running.add(key);
              most = Math.max(most, running.size);
              const version = wanted.get(key) ?? 0;
              await new Promise((resolve) => setImmediate(resolve));
              running.delete(key);
              if (failures.pop() === true) throw new Error("again");
              done.set(key, version);
            },
          });
          for (const [at, [key, turns]] of adds.entries()) {
            wanted.set(key, at);
            queue.add(key);
            for (let turn = 0; turn < turns; turn += 1)
              await new Promise((resolve) => setImmediate(resolve));
          }
          await eventually(() => {
            const { queued, running: busy, delayed } = queue.stats();
            return queued + busy + delayed === 0;
          });
          expect(overlaps).toBe(0);
          expect(most).toBeLessThanOrEqual(concurrency);
          expect(Object.fromEntries(done)).toEqual(Object.fromEntries(wanted));
        },
      ),
      { numRuns: 60 },
    );
  });

  function recording(options: Partial<WorkQueueOptions> = {}): { queue: WorkQueue; ran: string[] } {
    const ran: string[] = [];
    const queue = new WorkQueue({
      concurrency: 1,
      backoff: quick,
      work: (key) => {
        ran.push(key);
        return Promise.resolve();
      },
      ...options,
    });
    return { queue, ran };
  }

  it("takes urgent keys before normal ones before background ones, and first come first served", async () => {
    const first = gate();
    const ran: string[] = [];
    await using queue = new WorkQueue({
      concurrency: 1,
      work: async (key) => {
        ran.push(key);
        await first.promise;
      },
    });
    queue.add("blocker");
    queue.add("slow", "background");
    queue.add("n1");
    queue.add("n2");
    queue.add("u1", "urgent");
    queue.add("n2", "urgent");
    queue.add("u1", "background");
    first.open();
    await queue.idle();
    expect(ran).toEqual(["blocker", "u1", "n2", "n1", "slow"]);
  });

  it("works on a key once however often it was added before its turn", async () => {
    const { queue, ran } = recording();
    queue.add("x");
    for (let i = 0; i < 5; i += 1) queue.add("y");
    await queue.idle();
    expect(ran).toEqual(["x", "y"]);
    await queue.close();
  });

  it("tries a failing key again and again, waiting longer, and forgets the failures on success", async () => {
    const waits: number[] = [];
    let left = 5;
    await using queue = new WorkQueue({
      concurrency: 1,
      backoff: { firstMs: 1, capMs: 4, jitter: 0 },
      failed: (_key, _error, _failures, wait) => waits.push(wait),
      work: () => {
        left -= 1;
        return left >= 0 ? Promise.reject(new Error("no")) : Promise.resolve();
      },
    });
    queue.add("x");
    await eventually(() => left === -1);
    await queue.idle();
    expect(waits).toEqual([1, 2, 4, 4, 4]);
    expect(queue.stats().failing).toBe(0);
  });

  it("waits at least as long as the server asked", async () => {
    const waits: number[] = [];
    await using queue = new WorkQueue({
      concurrency: 1,
      backoff: quick,
      failed: (_key, _error, _failures, wait) => waits.push(wait),
      work: () => Promise.reject(new KubeError("too-many-requests", "slow", { retryAfterMs: 9e6 })),
    });
    queue.add("x");
    await queue.idle();
    expect(waits).toEqual([9e6]);
    expect(queue.stats().delayed).toBe(1);
  });

  it("works on a delayed key at once when it is added again", async () => {
    const { queue, ran } = recording();
    queue.addAfter("x", 3_600_000);
    expect(ran).toEqual([]);
    queue.add("x");
    await queue.idle();
    expect(ran).toEqual(["x"]);
    expect(queue.stats().delayed).toBe(0);
    await queue.close();
  });

  it("waits for a time that is further away than a timer of Node can be set", async () => {
    const { queue, ran } = recording();
    queue.addAfter("next month", 31 * 24 * 3_600_000);
    queue.addAfter("soon", 5);
    await eventually(() => ran.includes("soon"));
    expect([ran, queue.stats().delayed]).toEqual([["soon"], 1]);
    await queue.close();
  });

  it("runs again after the time that the work asks for", async () => {
    let runs = 0;
    await using queue = new WorkQueue({
      concurrency: 1,
      work: () => {
        runs += 1;
        return Promise.resolve(runs < 3 ? { againInMs: 1 } : undefined);
      },
    });
    queue.add("x");
    await eventually(() => runs === 3);
  });

  it("forgets a key that waits", async () => {
    const { queue, ran } = recording();
    queue.addAfter("x", 1);
    queue.forget("x");
    queue.add("y");
    await queue.idle();
    expect([ran, queue.stats().delayed]).toEqual([["y"], 0]);
    await queue.close();
  });

  it("aborts running work when closed, drops the rest and takes nothing more", async () => {
    const ran: string[] = [];
    const queue = new WorkQueue({
      concurrency: 1,
      work: (key, signal) => {
        ran.push(key);
        return new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("aborted")));
        });
      },
    });
    queue.add("x");
    queue.add("y");
    await queue.close();
    queue.add("z");
    queue.addAfter("z", 0);
    expect(ran).toEqual(["x"]);
    expect(queue.stats()).toEqual({ queued: 0, running: 0, delayed: 0, failing: 1 });
  });
});
