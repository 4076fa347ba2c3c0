import { expect, test } from "vitest";
import { pullPolicy } from "./pull-policy.ts";

test.each([
  ["a", undefined, "Always"],
  ["a:latest", undefined, "Always"],
  ["a/b/c:latest", "", "Always"],
  ["host:5000/a", undefined, "Always"],
  ["host:5000/a:latest", undefined, "Always"],
  ["host:5000/a:1", undefined, "IfNotPresent"],
  ["a:latest-1", undefined, "IfNotPresent"],
  ["a@sha256:0", undefined, "IfNotPresent"],
  ["a:latest@sha256:0", undefined, "IfNotPresent"],
  ["docker://a", undefined, "Always"],
  ["docker://a:1", undefined, "IfNotPresent"],
  ["docker://host:5000/a", undefined, "Always"],
  ["oras://host:5000/a/b:v1", undefined, "IfNotPresent"],
  ["library://user/collection/a:latest", undefined, "Always"],
  ["/cvmfs/image.sif", undefined, "Always"],
  ["a", "Never", "Never"],
  ["a", "IfNotPresent", "IfNotPresent"],
  ["a:1", "Always", "Always"],
  ["a:1", "sometimes", "IfNotPresent"],
])("an image %s with the policy %j is pulled %s", (image, policy, expected) => {
  expect(pullPolicy(image, policy)).toBe(expected);
});
