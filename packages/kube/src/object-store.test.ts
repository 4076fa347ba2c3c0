import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KubeObject } from "./client.ts";
import { type Change, ObjectStore, uidOf } from "./object-store.ts";

/** Two UIDs per name, so that names change hands. */
const object = fc.tuple(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2"), fc.nat(3)).map(
  ([name, uid, version]): KubeObject => ({
    metadata: { namespace: "ns", name, uid: `${name}${uid}`, resourceVersion: String(version) },
  }),
);
const list = fc.uniqueArray(object, { selector: (one) => one.metadata?.name });
const step = fc.oneof(
  fc.record({ do: fc.constant("put" as const), object }),
  fc.record({ do: fc.constant("remove" as const), object }),
  fc.record({ do: fc.constant("replace" as const), list }),
);

function replay(known: Map<string, KubeObject>, change: Change<KubeObject>): void {
  const uid = uidOf(change.object);
  if (change.type === "added") expect(known.has(uid)).toBe(false);
  else expect(known.has(uid)).toBe(true);
  if (change.type === "removed") known.delete(uid);
  else known.set(uid, change.object);
  // At no moment do two objects have one name.
  const names = [...known.values()].map((one) => one.metadata?.name);
  expect(new Set(names).size).toBe(names.length);
}

describe("ObjectStore", () => {
  it("tells changes that lead whoever follows them to what it holds", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const store = new ObjectStore<KubeObject>();
        const known = new Map<string, KubeObject>();
        for (const one of steps) {
          const changes =
            one.do === "put"
              ? store.put(one.object)
              : one.do === "remove"
                ? store.remove(one.object)
                : store.replace(one.list);
          for (const change of changes) replay(known, change);
          expect([...known.keys()].sort()).toEqual(store.list().map(uidOf).sort());
          for (const held of known.values())
            expect(uidOf(store.byName("ns", held.metadata?.name ?? "") ?? {})).toBe(uidOf(held));
          if (one.do === "replace") expect(known.size).toBe(one.list.length);
        }
      }),
    );
  });

  it("leaves the successor alone when the old object of its name is deleted late", () => {
    const store = new ObjectStore<KubeObject>();
    const named = (uid: string): KubeObject => ({ metadata: { name: "a", uid } });
    store.put(named("old"));
    store.put(named("new"));
    expect(store.remove(named("old"))).toEqual([]);
    expect(store.byName(undefined, "a")?.metadata?.uid).toBe("new");
  });
});
