import { EventEmitter, getEventListeners, once } from "node:events";
import { describe, expect, it } from "vitest";
import { pause, withDeadline } from "./deadline.ts";

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

describe("a deadline", () => {
  it("leaves no listener behind on the signal that calls share", async () => {
    const stop = new AbortController();
    const release = new EventEmitter();
    release.setMaxListeners(0);
    const calls = Array.from({ length: 20 }, () =>
      withDeadline(60_000, stop.signal, "GET", () => once(release, "go")),
    );
    expect(getEventListeners(stop.signal, "abort")).toHaveLength(20);
    release.emit("go");
    await Promise.all(calls);
    expect(getEventListeners(stop.signal, "abort")).toHaveLength(0);
  });
});
