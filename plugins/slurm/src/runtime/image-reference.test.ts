import { PluginError } from "@interlink/plugin-sdk";
import { expect, it } from "vitest";
import { enrootReference, imageFile, imageReference } from "./image-reference.ts";

it.each([
  ["busybox", "docker://", "docker://busybox"],
  ["registry.example:5000/a/b:1", "docker://", "docker://registry.example:5000/a/b:1"],
  ["/cvmfs/image.sif", "docker://", "/cvmfs/image.sif"],
  ["docker://a/b", "oras://x/", "docker://a/b"],
  ["library://a", "docker://", "library://a"],
  ["a.sif", "/images/", "/images/a.sif"],
  ["a.sif", "", "a.sif"],
  ["x;$(touch y)`z`", "docker://", "docker://x;$(touch y)`z`"],
  ["$(touch$IFS/x)", "docker://", "docker://$(touch$IFS/x)"],
  ["-x", "", undefined],
  ["", "", undefined],
  [" a", "", undefined],
  ["a\nb", "docker://", undefined],
  ["a\0b", "docker://", undefined],
])("takes %j with the prefix %j for %j", (image, prefix, expected) => {
  if (expected === undefined) expect(() => imageReference(image, prefix)).toThrow(PluginError);
  else expect(imageReference(image, prefix)).toBe(expected);
});

it.each([
  ["docker://host.example/a/b:1", "docker://host.example#a/b:1"],
  ["docker://localhost/a", "docker://localhost#a"],
  ["docker://host:5000/a", "docker://host:5000#a"],
  ["docker://a/b", "docker://a/b"],
  ["docker://alpine", "docker://alpine"],
  ["docker://h#a", "docker://h#a"],
  ["dockerd://a.b/c", "dockerd://a.b/c"],
])("writes %s for enroot as %s", (reference, expected) => {
  expect(enrootReference(reference)).toBe(expected);
});

it("names files apart that only differ in signs", () => {
  const names = [
    "docker://a/b",
    "docker://a_b",
    "docker://a:b",
    "docker://../../x",
    "docker://$(x)",
  ];
  const files = names.map((name) => imageFile(name, "sif"));
  expect(new Set(files).size).toBe(names.length);
  for (const file of files) expect(file).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]*-[0-9a-f]{16}\.sif$/);
});
