import { ProtocolError, type RemotePodStatus } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { StatusBatcher } from "./status-batcher.ts";

const pod = (uid: string): Pod => ({ metadata: { uid, name: uid, namespace: "d" } });
const status = (UID: string): RemotePodStatus => ({
  name: UID,
  UID,
  namespace: "d",
  JID: "",
  containers: [],
  initContainers: [],
});
const never = new AbortController().signal;

/** A plugin whose answers are given by hand, call by call. */
function byHand() {
  const calls: {
    uids: string[];
    signal: AbortSignal;
    answer(uids: string[]): void;
    fail(error: Error): void;
  }[] = [];
  const batcher = new StatusBatcher(
    (pods, signal) =>
      new Promise((resolve, reject) => {
        calls.push({
          uids: pods.map(({ metadata }) => metadata?.uid ?? ""),
          signal,
          answer: (uids) => resolve(uids.map(status)),
          fail: reject,
        });
      }),
  );
  return { calls, batcher };
}

/** Lets everything that is ready run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const uidsOf = (statuses: RemotePodStatus[]): string[] => statuses.map(({ UID }) => UID);

describe("StatusBatcher", () => {
  it("asks once for callers that come while a call is under way, each pod once", async () => {
    const { calls, batcher } = byHand();
    const first = batcher.ask([pod("a")], never);
    await settle();
    const second = batcher.ask([pod("a"), pod("b")], never);
    const third = batcher.ask([pod("b"), pod("c")], never);
    await settle();
    expect(calls.map(({ uids }) => uids)).toEqual([["a"]]);
    calls[0]?.answer(["a"]);
    expect(uidsOf(await first)).toEqual(["a"]);
    await settle();
    expect(calls.map(({ uids }) => uids)).toEqual([["a"], ["a", "b", "c"]]);
    calls[1]?.answer(["c", "b"]);
    expect(uidsOf(await second)).toEqual(["b"]);
    expect(uidsOf(await third)).toEqual(["b", "c"]);
  });

  it("never answers with what an earlier call said", async () => {
    const { calls, batcher } = byHand();
    const first = batcher.ask([pod("a")], never);
    await settle();
    calls[0]?.answer(["a"]);
    await first;
    const second = batcher.ask([pod("a")], never);
    await settle();
    calls[1]?.answer([]);
    expect(await second).toEqual([]);
  });

  it("fails only the callers of the failed call", async () => {
    const { calls, batcher } = byHand();
    const first = batcher.ask([pod("a")], never);
    await settle();
    const second = batcher.ask([pod("b")], never);
    calls[0]?.fail(new ProtocolError("unreachable", "gone"));
    await expect(first).rejects.toMatchObject({ code: "unreachable" });
    await settle();
    calls[1]?.answer(["b"]);
    expect(uidsOf(await second)).toEqual(["b"]);
  });

  it("lets a caller leave without disturbing the others, and ends the call when all have left", async () => {
    const { calls, batcher } = byHand();
    const [one, two] = [new AbortController(), new AbortController()];
    const first = batcher.ask([pod("a")], one.signal);
    const second = batcher.ask([pod("b")], two.signal);
    await settle();
    one.abort();
    await expect(first).rejects.toMatchObject({ code: "aborted" });
    expect(calls[0]?.signal.aborted).toBe(false);
    two.abort();
    await expect(second).rejects.toMatchObject({ code: "aborted" });
    expect(calls[0]?.signal.aborted).toBe(true);
  });

  it("does not ask for a caller that left while it waited", async () => {
    const { calls, batcher } = byHand();
    const first = batcher.ask([pod("a")], never);
    await settle();
    const leaver = new AbortController();
    const second = batcher.ask([pod("b")], leaver.signal);
    leaver.abort();
    await expect(second).rejects.toMatchObject({ code: "aborted" });
    calls[0]?.answer([]);
    await first;
    await settle();
    expect(calls).toHaveLength(1);
  });
});
