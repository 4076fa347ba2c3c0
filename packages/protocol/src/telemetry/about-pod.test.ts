import fc from "fast-check";
import { expect, test } from "vitest";
import { aboutPod, podAttributes } from "./about-pod.ts";

const metadata = { name: "p", namespace: "n", uid: "u" };

test.each([
  ["a create", { pod: { metadata }, container: [] }],
  ["a deletion", { metadata }],
  ["a log", { Namespace: "n", PodName: "p", PodUID: "u" }],
])("the pod of %s is told by its name and UID", (_, message) => {
  expect(aboutPod(message)).toEqual({ pod: "n/p", uid: "u" });
  expect(podAttributes(message)).toEqual({
    "pod.name": "p",
    "pod.namespace": "n",
    "pod.uid": "u",
  });
});

test("nothing is told of what is about no pod, or about many", () => {
  for (const message of [undefined, null, "x", [], [{ metadata }], {}, { metadata: {} }]) {
    expect(aboutPod(message)).toBeUndefined();
    expect(podAttributes(message)).toEqual({});
  }
});

test("whatever a message is, nothing breaks", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => void aboutPod(value)));
});
