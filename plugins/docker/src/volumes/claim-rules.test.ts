import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { testPod } from "../testing/pods.ts";
import { type ClaimRule, checkClaimRules, claimedVolumes, placeOfClaim } from "./claim-rules.ts";

const RULES: ClaimRule[] = [
  { namespace: "shared", claim: "data-*", directory: "/data/{claim}/", readOnly: true },
  { namespace: "team-*", volume: "{namespace}_{claim}" },
  { directory: "/claims/{namespace}/{claim}" },
];

describe("placeOfClaim", () => {
  it.each([
    ["shared", "data-1", { directory: "/data/data-1/", within: "/data/", readOnly: true }],
    ["team-a", "c", { volume: "team-a_c", readOnly: false }],
    ["shared", "other", { directory: "/claims/shared/other", within: "/claims/", readOnly: false }],
  ])("lets the first rule that fits %s/%s decide", (namespace, claim, expected) => {
    expect(placeOfClaim(RULES, namespace, claim)).toEqual(expected);
  });

  it("knows no place without a rule", () => {
    expect(placeOfClaim([], "ns", "c")).toBeUndefined();
    expect(placeOfClaim([{ claim: "a.b", directory: "/x" }], "ns", "axb")).toBeUndefined();
  });

  it("is never led out of its rule's directory by a name", () => {
    const piece = fc.constantFrom("..", ".", "/", "a", "-", "\0", "*", "{claim}", "$&");
    const name = fc.oneof(
      fc.string(),
      fc.array(piece).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(name, name, (namespace, claim) => {
        const place = placeOfClaim(RULES.slice(2), namespace, claim);
        if (place === undefined) return;
        expect(place).toMatchObject({
          directory: `/claims/${namespace}/${claim}`,
          within: "/claims/",
        });
        expect(`${namespace}/${claim}`).toMatch(/^[a-z0-9][a-z0-9.-]*\/[a-z0-9][a-z0-9.-]*$/);
      }),
    );
  });
});

it("says what is wrong with a rule", () => {
  expect(() => checkClaimRules(RULES)).not.toThrow();
  for (const [rule, words] of [
    [{}, "claims[0] needs either a directory or a volume."],
    [{ directory: "/a", volume: "b" }, "needs either"],
    [{ directory: "a" }, "not an absolute path"],
    [{ directory: "/a/../b" }, "not an absolute path"],
    [{ directory: "/a/{name}" }, "has {name}; only {namespace} and {claim}"],
    [{ volume: "/etc" }, "do not take as a name"],
  ] as const) {
    expect(() => checkClaimRules([rule])).toThrow(words);
  }
});

it("tells the engine's names of a pod's claims", () => {
  const volumes = [
    { name: "v", persistentVolumeClaim: { claimName: "c" } },
    { name: "e", emptyDir: {} },
  ];
  const rules = [{ claim: "c", volume: "site-{claim}" }];
  expect([...claimedVolumes(testPod({ volumes }), rules)]).toEqual([["v", "site-c"]]);
});
