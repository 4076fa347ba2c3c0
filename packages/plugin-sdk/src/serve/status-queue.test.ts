import type { RemotePodEvent, StatusStreamRecord } from "@interlink/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runningStatus } from "../testing/fake-provider.ts";
import { StatusQueue } from "./status-queue.ts";

const goneOf = (UID: string) => ({ UID, name: `pod-${UID}`, namespace: "default" });

function eventOf(message: string): RemotePodEvent {
  return { ...goneOf("a"), type: "Normal", reason: "Pulled", message, at: "2026-01-01T00:00:00Z" };
}

function drain(queue: StatusQueue): StatusStreamRecord[] {
  const records: StatusStreamRecord[] = [];
  for (let one = queue.take(); one !== undefined; one = queue.take()) records.push(one);
  return records;
}

describe("a slow reader", () => {
  test("hears of each pod its latest status, in the order of the first, and its end after it", () => {
    const queue = new StatusQueue();
    queue.status(runningStatus("a", 1));
    queue.status(runningStatus("b", 1));
    queue.status(runningStatus("a", 2));
    queue.gone(goneOf("b"));
    expect(drain(queue)).toEqual([
      { type: "status", status: runningStatus("a", 2) },
      { type: "status", status: runningStatus("b", 1) },
      { type: "gone", ...goneOf("b") },
    ]);
  });

  test("hears nothing more of a pod after its end", () => {
    const queue = new StatusQueue();
    queue.gone(goneOf("a"));
    queue.status(runningStatus("a", 1));
    expect(drain(queue)).toEqual([{ type: "gone", ...goneOf("a") }]);
  });

  test("is not told an older revision after a newer one", () => {
    const queue = new StatusQueue();
    queue.status(runningStatus("a", 2));
    queue.status(runningStatus("a", 1));
    expect(drain(queue)).toEqual([{ type: "status", status: runningStatus("a", 2) }]);
  });

  test("loses the oldest events, and it is counted", () => {
    const queue = new StatusQueue(2);
    for (const message of ["1", "2", "3"]) queue.event(eventOf(message));
    expect(drain(queue).map((one) => (one.type === "event" ? one.event.message : ""))).toEqual([
      "2",
      "3",
    ]);
    expect(queue.takeDropped()).toBe(1);
    expect(queue.takeDropped()).toBe(0);
  });

  test("ends up knowing the last change of every pod, whatever came when", () => {
    const step = fc.record({
      uid: fc.constantFrom("a", "b", "c"),
      what: fc.constantFrom("status", "gone", "event", "take"),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new StatusQueue(3);
        const expected = new Map<string, string>();
        const told = new Map<string, string>();
        const hear = (record: StatusStreamRecord | undefined): void => {
          if (record?.type === "status") {
            told.set(record.status.UID, String(record.status.extension?.revision));
          } else if (record?.type === "gone") told.set(record.UID, "gone");
        };
        for (const [index, { uid, what }] of steps.entries()) {
          if (what === "status") {
            if (expected.get(uid) === "gone") continue; // No UID comes back.
            queue.status(runningStatus(uid, index));
            expected.set(uid, String(index));
          } else if (what === "gone") {
            queue.gone(goneOf(uid));
            expected.set(uid, "gone");
          } else if (what === "event") queue.event(eventOf(String(index)));
          else hear(queue.take());
        }
        const rest = drain(queue);
        expect(rest.length).toBeLessThanOrEqual(2 * 3 + 3);
        for (const record of rest) hear(record);
        expect(told).toEqual(expected);
      }),
    );
  });
});

describe("the snapshot", () => {
  test("takes in what was heard while it was made", () => {
    const queue = new StatusQueue();
    queue.status(runningStatus("newer", 3));
    queue.status(runningStatus("older", 1));
    queue.status(runningStatus("no-revision"));
    queue.status(runningStatus("new", 1));
    queue.gone(goneOf("gone"));
    const snapshot = [
      runningStatus("newer", 2),
      runningStatus("older", 2),
      runningStatus("no-revision"),
      runningStatus("gone", 1),
      runningStatus("quiet", 1),
    ];
    expect(queue.merge(snapshot)).toEqual([
      runningStatus("newer", 3),
      runningStatus("older", 2),
      runningStatus("no-revision"),
      runningStatus("gone", 1),
      runningStatus("quiet", 1),
    ]);
    expect(queue.takeStatuses()).toEqual([runningStatus("new", 1)]);
    expect(drain(queue)).toEqual([{ type: "gone", ...goneOf("gone") }]);
  });
});
