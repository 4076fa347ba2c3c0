import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../api/object.ts";
import { strategicMerge } from "./strategic-merge.ts";

const two = {
  containers: [
    { name: "a", image: "1" },
    { name: "b", image: "2" },
  ],
};

// Each row was checked against `kubectl patch --local`, which has the real implementation (kubectl.test.ts repeats some).
const rows: [string, JsonObject, JsonObject, JsonObject][] = [
  [
    "merges containers by name",
    { spec: two },
    { spec: { containers: [{ name: "b", image: "3" }] } },
    {
      spec: {
        containers: [
          { name: "a", image: "1" },
          { name: "b", image: "3" },
        ],
      },
    },
  ],
  [
    "puts a new element before those that only the server has",
    { spec: two },
    { spec: { containers: [{ name: "c", image: "3" }] } },
    { spec: { containers: [{ name: "c", image: "3" }, ...two.containers] } },
  ],
  [
    "obeys $setElementOrder",
    { spec: two },
    {
      spec: {
        "$setElementOrder/containers": [{ name: "b" }, { name: "a" }],
        containers: [{ name: "b", image: "9" }],
      },
    },
    {
      spec: {
        containers: [
          { name: "b", image: "9" },
          { name: "a", image: "1" },
        ],
      },
    },
  ],
  [
    "deletes an element by $patch: delete",
    { spec: two },
    { spec: { containers: [{ name: "a", $patch: "delete" }] } },
    { spec: { containers: [{ name: "b", image: "2" }] } },
  ],
  [
    "replaces a list by $patch: replace",
    { status: { conditions: [{ type: "A", status: "True" }] } },
    { status: { conditions: [{ type: "B", status: "True" }, { $patch: "replace" }] } },
    { status: { conditions: [{ type: "B", status: "True" }] } },
  ],
  [
    "replaces a map by $patch: replace",
    { metadata: { labels: { a: "1" } } },
    { metadata: { labels: { b: "2", $patch: "replace" } } },
    { metadata: { labels: { b: "2" } } },
  ],
  [
    "clears what $retainKeys does not name",
    { spec: { volumes: [{ name: "v", emptyDir: {} }] } },
    {
      spec: {
        volumes: [{ name: "v", $retainKeys: ["name", "hostPath"], hostPath: { path: "/x" } }],
      },
    },
    { spec: { volumes: [{ name: "v", hostPath: { path: "/x" } }] } },
  ],
  [
    "merges finalizers as a set and removes from them by $deleteFromPrimitiveList",
    { metadata: { finalizers: ["a/1", "a/2"] } },
    { metadata: { "$deleteFromPrimitiveList/finalizers": ["a/1"], finalizers: ["a/3"] } },
    { metadata: { finalizers: ["a/3", "a/2"] } },
  ],
  [
    "replaces tolerations whole",
    { spec: { tolerations: [{ key: "a" }] } },
    { spec: { tolerations: [{ key: "b" }] } },
    { spec: { tolerations: [{ key: "b" }] } },
  ],
  [
    "removes a field by null and drops nulls of what is new",
    { spec: { nodeName: "x" } },
    { spec: { nodeName: null, securityContext: { runAsUser: null } } },
    { spec: { securityContext: {} } },
  ],
  [
    "merges env within a container",
    { spec: { containers: [{ name: "a", env: [{ name: "X", value: "1" }] }] } },
    {
      spec: {
        containers: [
          {
            name: "a",
            env: [
              { name: "Y", value: "2" },
              { name: "X", value: "3" },
            ],
          },
        ],
      },
    },
    {
      spec: {
        containers: [
          {
            name: "a",
            env: [
              { name: "Y", value: "2" },
              { name: "X", value: "3" },
            ],
          },
        ],
      },
    },
  ],
];

describe("strategic merge patch", () => {
  it.each(rows)("%s", (_name, before, patch, after) => {
    expect(strategicMerge(before, patch, "Pod")).toEqual(after);
  });

  it("refuses an element without its merge key", () => {
    expect(() =>
      strategicMerge({ spec: two }, { spec: { containers: [{ image: "x" }] } }, "Pod"),
    ).toThrow("does not contain declared merge key: name");
  });

  const labels = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.string({ maxLength: 3 }));
  const container = fc.record({
    name: fc.constantFrom("a", "b", "c", "d"),
    image: fc.constantFrom("x", "y"),
  });
  const containers = fc.uniqueArray(container, { selector: (item) => item.name, maxLength: 4 });
  const pod = fc.record({ metadata: fc.record({ labels }), spec: fc.record({ containers }) });

  it("changes nothing by an empty patch, and the original never", () => {
    fc.assert(
      fc.property(pod, pod, (object, patch) => {
        const text = JSON.stringify(object);
        expect(strategicMerge(object, {}, "Pod")).toEqual(object);
        strategicMerge(object, patch, "Pod");
        expect(JSON.stringify(object)).toBe(text);
      }),
    );
  });

  it("keeps every element of both lists once, the patch's values winning", () => {
    fc.assert(
      fc.property(pod, pod, (object, patch) => {
        const merged = strategicMerge(object, patch, "Pod") as unknown as typeof object;
        const names = merged.spec.containers.map((item) => item.name);
        expect(new Set(names).size).toBe(names.length);
        const all = [...object.spec.containers, ...patch.spec.containers];
        expect(new Set(names)).toEqual(new Set(all.map((item) => item.name)));
        for (const { name, image } of patch.spec.containers) {
          expect(merged.spec.containers.find((item) => item.name === name)?.image).toBe(image);
        }
        const inPatch = patch.spec.containers.map((item) => item.name);
        expect(names.filter((name) => inPatch.includes(name))).toEqual(inPatch);
      }),
    );
  });

  it("gives the same when it is applied twice", () => {
    fc.assert(
      fc.property(pod, pod, (object, patch) => {
        const once = strategicMerge(object, patch, "Pod");
        expect(strategicMerge(once, patch, "Pod")).toEqual(once);
      }),
    );
  });
});
