import fc from "fast-check";
import type { Pod } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { checkNames } from "./check-pod.ts";

const pod = (container: string, ...volumes: string[]): Pod => ({
  spec: { containers: [{ name: container }], volumes: volumes.map((name) => ({ name })) },
});

describe("checkNames", () => {
  it.each([
    [pod("../../x"), 'The container name "../../x" is not a DNS label.'],
    [pod("a", ".."), 'The volume name ".." is not a DNS label.'],
    [pod("a", "x", "x.making"), 'The volume name "x.making" is not a DNS label.'],
    [pod("a", "..data"), 'The volume name "..data" is not a DNS label.'],
    [pod("a", "v", "v"), "Two volumes are named v."],
    [
      { spec: { containers: [{ name: "a" }], initContainers: [{ name: "a" }] } },
      "Two containers are named a.",
    ],
  ])("refuses %j", (wrong, words) => {
    expect(() => checkNames(wrong)).toThrow(words);
  });

  it("lets nothing through that a path could be made of", () => {
    const piece = fc.constantFrom("a", "-", ".", "..", "/", "\0", "\n", "é", "A", " ");
    const name = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(name, name, (container, volume) => {
        try {
          checkNames(pod(container, volume));
        } catch {
          return;
        }
        expect(`${container} ${volume}`).toMatch(/^[a-z0-9-]+ [a-z0-9-]+$/);
      }),
    );
  });
});
