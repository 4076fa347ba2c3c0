import { describe, expect, test } from "vitest";
import { atOnce } from "./at-once.ts";

describe("work with a limit", () => {
  test.each([1, 3, 50])("is done for every item, never more than %d at once", async (limit) => {
    let running = 0;
    let most = 0;
    const items = Array.from({ length: 20 }, (_, index) => index);
    const results = await atOnce(items, limit, async (item) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      return item * 2;
    });
    expect(results).toEqual(items.map((item) => item * 2));
    expect(most).toBe(Math.min(limit, items.length));
  });

  test("begins nothing new after an error", async () => {
    const begun: number[] = [];
    const work = async (item: number) => {
      begun.push(item);
      if (item === 2) throw new Error("broken");
    };
    await expect(atOnce([1, 2, 3, 4], 1, work)).rejects.toThrow("broken");
    expect(begun).toEqual([1, 2]);
  });
});
