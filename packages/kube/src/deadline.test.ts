import { describe, expect, it } from "vitest";
import { pause } from "./deadline.ts";

describe("pause", () => {
  it("ends with its signal, however far away its end is", async () => {
    const stop = new AbortController();
    let over = false;
    const long = pause(31 * 24 * 3_600_000, stop.signal).then(() => {
      over = true;
    });
    await pause(5, stop.signal);
    expect(over).toBe(false);
    stop.abort();
    await long;
    await pause(1000, stop.signal);
  });
});
