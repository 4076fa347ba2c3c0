import { expect, it } from "vitest";
import { collectionRules, type ImageSettings, imageSettingsProblem } from "./image-settings.ts";

it("takes a kubelet's rules where nothing is said", () => {
  expect(collectionRules({})).toEqual({
    highPercent: 85,
    lowPercent: 80,
    minAgeMs: 120_000,
    others: false,
  });
});

it.each<[ImageSettings, string | undefined]>([
  [{}, undefined],
  [{ garbageCollection: false, prePull: ["a", "r.test:5000/b/c:1"] }, undefined],
  [{ garbageCollection: { highPercent: 80, space: "1.5Ti" } }, undefined],
  [{ prePull: ["a", "Not An Image"] }, 'images.prePull has "Not An Image"'],
  [{ garbageCollection: { highPercent: 50 } }, "lowPercent must not be above highPercent"],
  [{ garbageCollection: { space: "lots" } }, "must be an amount of bytes such as 200Gi"],
  [{ garbageCollection: { space: "0" } }, "must be an amount of bytes such as 200Gi"],
])("of %j it says %s", (settings, words) => {
  const problem = imageSettingsProblem(settings);
  if (words === undefined) expect(problem).toBeUndefined();
  else expect(problem).toContain(words);
});
