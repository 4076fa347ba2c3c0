import { describe, expect, test } from "vitest";
import { behaviourGroups } from "./behaviours.ts";
import { conformancePage, findingOf, testTitle } from "./page.ts";

describe("the behaviours", () => {
  test("are 93, numbered without a gap", () => {
    const ids = behaviourGroups.flatMap(({ behaviours }) => behaviours.map(({ id }) => id));
    expect(ids).toEqual(Array.from({ length: 93 }, (_, index) => index + 1));
  });
});

describe("a finding", () => {
  test.each([
    [testTitle(7, "Words", undefined, true), "passed", { id: 7, result: "pass" }],
    [testTitle(7, "Words", undefined, true), "failed", { id: 7, result: "fail" }],
    [testTitle(7, "A: b", "old", true), "passed", { id: 7, result: "pass", note: "old" }],
    [
      testTitle(7, "Words", "why [so]", false),
      "skipped",
      { id: 7, result: "not applicable", note: "why [so]" },
    ],
  ] as const)("is read from the title %s when it %s", (title, state, expected) => {
    expect(findingOf("docker", title, state)).toEqual({ plugin: "docker", ...expected });
  });

  test.each([
    ["7. Words", "skipped"],
    ["something else", "passed"],
  ] as const)("is not made of %s when it %s", (title, state) => {
    expect(findingOf("docker", title, state)).toBeUndefined();
  });
});

describe("the page", () => {
  const page = conformancePage(
    ["process", "docker"],
    [
      { id: 1, plugin: "process", result: "pass" },
      { id: 1, plugin: "process", result: "fail" },
      { id: 1, plugin: "docker", result: "pass", note: "one" },
      { id: 2, plugin: "docker", result: "not applicable", note: "two" },
      { id: 3, plugin: "docker", result: "not applicable", note: "two" },
    ],
  );

  test("tells a failure of any test, and notes by number", () => {
    expect(page).toMatch(/^\| 1 \| .* \| \*\*fail\*\* \| pass \[1\]\(#notes\) \|$/m);
    expect(page).toMatch(/^\| 3 \| .* \| not tested \| not applicable \[2\]\(#notes\) \|$/m);
    expect(page).toContain("1. one\n2. two\n");
  });

  test("counts", () => {
    expect(page).toContain("- **process**: 0 pass, 1 fail, 0 not applicable, 92 not tested");
    expect(page).toContain("- **docker**: 1 pass, 0 fail, 2 not applicable, 90 not tested");
  });
});
