import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KubeObject } from "../api/object.ts";
import { ObjectStore, type StoreEvent, VersionCounter } from "./object-store.ts";

const object = (name: string): KubeObject => ({ metadata: { name } });

describe("object store", () => {
  it("stamps each change with the next version and tells it", () => {
    const store = new ObjectStore(new VersionCounter(), 10);
    const seen: StoreEvent[] = [];
    const end = store.subscribe((event) => seen.push(event));
    store.put("a", object("a"));
    store.put("a", object("a"));
    store.remove("a");
    end();
    store.put("b", object("b"));
    expect(seen.map((event) => [event.type, event.version])).toEqual([
      ["ADDED", 2],
      ["MODIFIED", 3],
      ["DELETED", 4],
    ]);
    expect(seen[2]?.object.metadata.resourceVersion).toBe("4");
  });

  it("says that it has forgotten rather than leave out a change", () => {
    const store = new ObjectStore(new VersionCounter(), 5);
    for (let count = 0; count < 40; count += 1) store.put("a", object("a"));
    expect(store.since(1)).toBeUndefined();
    expect(store.since(41)).toEqual([]);
    expect(store.since(38)?.map((event) => event.version)).toEqual([39, 40, 41]);
    store.compact();
    expect(store.since(40)).toBeUndefined();
  });

  it("leads from any remembered version to the present state", () => {
    const step = fc.record({ key: fc.constantFrom("a", "b", "c"), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(60), (steps, from) => {
        const versions = new VersionCounter();
        const store = new ObjectStore(versions, 8);
        const states = new Map<number, Map<string, string>>();
        const state = (): Map<string, string> =>
          new Map(
            store
              .list()
              .map((item) => [item.metadata.name ?? "", item.metadata.resourceVersion ?? ""]),
          );
        states.set(versions.current, state());
        for (const { key, remove } of steps) {
          if (remove) store.remove(key);
          else store.put(key, object(key));
          states.set(versions.current, state());
        }
        const start = states.get(from);
        const events = store.since(from);
        if (!start || !events) return;
        for (const event of events) {
          if (event.type === "DELETED") start.delete(event.key);
          else start.set(event.key, event.object.metadata.resourceVersion ?? "");
        }
        expect(new Map(start)).toEqual(state());
      }),
    );
  });
});
