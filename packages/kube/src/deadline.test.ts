import { describe, expect, it } from "vitest";
import { pause } from "./deadline.ts";

describe("pause", () => {
  it("ends with its signal, however far away its end is", async () => {
    const stop = new AbortController();
    const far = pause(31 * 24 * 3_600_000, stop.signal).then(() => "far");
    const soon = pause(5, stop.signal).then(() => "soon");
    expect(await Promise.race([far, soon])).toBe("soon");
    stop.abort();
    expect(await far).toBe("far");
    await pause(1000, stop.signal);
  });
});
