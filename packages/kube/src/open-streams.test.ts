import { describe, expect, it } from "vitest";
import { KubeError } from "./errors.ts";
import { OpenStreams } from "./open-streams.ts";

describe("OpenStreams", () => {
  const reason = new KubeError("timeout", "no answer");

  function streams() {
    const clock = { now: 0 };
    const open = new OpenStreams(() => clock.now);
    const add = () => {
      const stop = new AbortController();
      return { stop, stream: open.add(stop) };
    };
    return { clock, open, add };
  }

  it("cuts what was silent, with the reason, and leaves what was heard", () => {
    const { clock, open, add } = streams();
    const [silent, lively] = [add(), add()];
    clock.now = 10;
    lively.stream.heard();
    open.cutSilentSince(5, reason);
    expect(silent.stop.signal.reason).toBe(reason);
    expect(lively.stop.signal.aborted).toBe(false);
  });

  it("leaves one alone that was opened since", () => {
    const { clock, open, add } = streams();
    clock.now = 10;
    const young = add();
    open.cutSilentSince(10, reason);
    expect(young.stop.signal.aborted).toBe(false);
  });

  it("knows nothing of one that has ended", () => {
    const { open, add } = streams();
    const ended = add();
    ended.stream.closed();
    open.cutSilentSince(5, reason);
    expect(ended.stop.signal.aborted).toBe(false);
  });
});
