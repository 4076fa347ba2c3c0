import { describe, expect, it } from "vitest";
import {
  bytesToFree,
  type CollectionInput,
  type CollectionRules,
  type EngineImage,
  imagesToRemove,
  isTooFull,
} from "./collection-plan.ts";
import type { RememberedImage } from "./image-memory.ts";

const MINUTE = 60_000;
const NOW = 1000 * MINUTE;
const RULES: CollectionRules = {
  highPercent: 85,
  lowPercent: 80,
  minAgeMs: 2 * MINUTE,
  others: false,
};
const DIGEST = `sha256:${"0".repeat(64)}`;

const image = (id: string, more: Partial<EngineImage> = {}): EngineImage => ({
  id,
  names: [`r.test/${id}:1`],
  bytes: 100,
  ...more,
});
/** Pulled by this plugin, `minutes` ago, and not used since. */
const pulled = (id: string, minutes: number, names = [`r.test/${id}:1`]): RememberedImage => ({
  names,
  seenAt: NOW - minutes * MINUTE,
  usedAt: NOW - minutes * MINUTE,
});

function removed(
  images: EngineImage[],
  memory: Record<string, RememberedImage>,
  more: Partial<CollectionInput> = {},
  bytes = Number.POSITIVE_INFINITY,
): string[] {
  const input: CollectionInput = {
    images,
    inUse: new Set(),
    kept: [],
    remembered: (id) => memory[id],
    rules: RULES,
    now: NOW,
    ...more,
  };
  return imagesToRemove(input, bytes).map(({ id }) => id);
}

describe("room is made", () => {
  it.each([
    [84, false],
    [85, true],
    [100, true],
  ])("at %i %% of the disk: %s", (used, expected) => {
    expect(isTooFull({ used, total: 100 }, RULES)).toBe(expected);
  });

  it("down to the lower threshold", () => {
    expect(bytesToFree({ used: 90, total: 100 }, RULES)).toBe(10);
    expect(bytesToFree({ used: 80, total: 100 }, RULES)).toBe(0);
    expect(isTooFull({ used: 0, total: 0 }, RULES)).toBe(false);
  });
});

describe("what goes", () => {
  it("is what was not used for longest, and no more than needed", () => {
    const images = ["new", "old", "older"].map((id) => image(id));
    const memory = { new: pulled("new", 5), old: pulled("old", 50), older: pulled("older", 500) };
    expect(removed(images, memory)).toEqual(["older", "old", "new"]);
    expect(removed(images, memory, {}, 100)).toEqual(["older"]);
    expect(removed(images, memory, {}, 101)).toEqual(["older", "old"]);
    expect(removed(images, memory, {}, 0)).toEqual([]);
  });

  it("goes by the last use before the age", () => {
    const used = { ...pulled("used", 500), usedAt: NOW - 3 * MINUTE };
    const memory = { used, unused: pulled("unused", 50) };
    expect(removed([image("used"), image("unused")], memory)).toEqual(["unused", "used"]);
    // Never used: by when they were first seen.
    const never = (minutes: number) => ({ ...pulled("x", minutes, []), usedAt: 0 });
    const others = { ...RULES, others: true };
    expect(
      removed([image("b"), image("a")], { a: never(60), b: never(50) }, { rules: others }),
    ).toEqual(["a", "b"]);
  });
});

const CASES: [
  string,
  EngineImage,
  RememberedImage | undefined,
  Partial<CollectionInput>,
  boolean,
][] = [
  ["pulled by this plugin and unused goes", image("a"), pulled("a", 5), {}, true],
  ["in a container of anybody stays", image("a"), pulled("a", 5), { inUse: new Set(["a"]) }, false],
  ["pulled a minute ago stays", image("a"), pulled("a", 1), {}, false],
  ["used a minute ago stays", image("a"), { ...pulled("a", 500), usedAt: NOW - MINUTE }, {}, false],
  ["never heard of stays", image("a"), undefined, {}, false],
  [
    "never heard of stays, whoever's",
    image("a"),
    undefined,
    { rules: { ...RULES, others: true } },
    false,
  ],
  ["that was there before stays", image("a"), pulled("a", 500, []), {}, false],
  [
    "that was there before goes if others' may",
    image("a"),
    pulled("a", 500, []),
    { rules: { ...RULES, others: true } },
    true,
  ],
  ["pulled ahead stays", image("a"), pulled("a", 5), { kept: ["r.test/a:1"] }, false],
  [
    "of the sandbox stays, in any version",
    image("a", { names: ["localhost/pause:v0"] }),
    pulled("a", 500, []),
    { kept: ["localhost/pause"], rules: { ...RULES, others: true } },
    false,
  ],
  ["kept by its id stays", image("a"), pulled("a", 500), { kept: ["a"] }, false],
  [
    "to which somebody gave another name stays",
    image("a", { names: ["r.test/a:1", "mine:2"] }),
    pulled("a", 500),
    {},
    false,
  ],
  [
    "under the short name that the engine shows goes",
    image("a", { names: ["busybox:latest"] }),
    pulled("a", 500, ["docker.io/library/busybox:latest"]),
    {},
    true,
  ],
  [
    "whose tag has moved on goes by its digest",
    image("a", { names: [`r.test/a@${DIGEST}`] }),
    pulled("a", 500),
    {},
    true,
  ],
  [
    "with the digest of another repository stays",
    image("a", { names: [`r.test/b@${DIGEST}`] }),
    pulled("a", 500),
    {},
    false,
  ],
  ["without any name goes", image("a", { names: [] }), pulled("a", 500), {}, true],
  [
    "that another was built on stays",
    image("a"),
    pulled("a", 500),
    { images: [image("a"), image("b", { parent: "a" })] },
    false,
  ],
];

it.each(CASES)("an image %s", (_, one, memory, more, goes) => {
  const known: Record<string, RememberedImage> = memory === undefined ? {} : { a: memory };
  expect(removed([one], known, more)).toEqual(goes ? ["a"] : []);
});
