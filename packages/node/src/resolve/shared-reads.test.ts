import { describe, expect, test } from "vitest";
import { SharedReads } from "./shared-reads.ts";

/** Questions that are answered when the test says so. */
function questions() {
  const waiting: ((answer: string) => void)[] = [];
  return {
    ask: () => new Promise<string>((resolve) => waiting.push(resolve)),
    count: () => waiting.length,
    answer: (index: number, text: string) => waiting[index]?.(text),
  };
}

describe("SharedReads", () => {
  test("never gives an answer that was asked for before the reader's time", async () => {
    let now = 0;
    const reads = new SharedReads<string>(() => now);
    const asked = questions();
    const early = reads.read("k", 0, asked.ask);
    now = 10;
    const late = [reads.read("k", 10, asked.ask), reads.read("k", 10, asked.ask)];
    expect(asked.count()).toBe(1);
    asked.answer(0, "old");
    expect(await early).toBe("old");
    await Promise.resolve();
    expect(asked.count()).toBe(2);
    asked.answer(1, "new");
    expect(await Promise.all(late)).toEqual(["new", "new"]);
    expect(await reads.read("k", 5, asked.ask)).toBe("new");
    expect(asked.count()).toBe(2);
  });

  test("does not keep failures", async () => {
    const reads = new SharedReads<string>(() => 0);
    await expect(reads.read("k", 0, () => Promise.reject(new Error("away")))).rejects.toThrow(
      "away",
    );
    expect(await reads.read("k", 0, () => Promise.resolve("back"))).toBe("back");
  });

  test("gives no answer older than it may be kept, though the reader would take it", async () => {
    let now = 0;
    const reads = new SharedReads<string>(() => now, 5000);
    expect(await reads.read("k", 0, () => Promise.resolve("old"))).toBe("old");
    now = 5000;
    expect(await reads.read("k", 0, () => Promise.resolve("new"))).toBe("old");
    now = 5001;
    expect(await reads.read("k", 0, () => Promise.resolve("new"))).toBe("new");
  });
});
