import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MOST_BEHIND, recordLines, recordName, recordText, uidOfRecord } from "./record-text.ts";

describe("the text of a record", () => {
  const line = fc.json().map((text) => JSON.stringify(JSON.parse(text)));

  test("tells the pod and the last whole line, whatever is being written behind", () => {
    fc.assert(
      fc.property(line, fc.array(line, { minLength: 1 }), fc.string(), (pod, jobs, torn) => {
        const whole = recordText({ pod, job: jobs.join("\n") });
        const lines = { pod, job: jobs.at(-1) };
        expect(recordLines(whole)).toEqual({ lines, isTidy: true });
        const half = torn.replaceAll("\n", "");
        expect(recordLines(`${whole}${half}`)).toEqual({ lines, isTidy: half === "" });
      }),
    );
  });

  test.each([
    ["", "", ""],
    ["{pod}", "{pod}", ""],
    ["{pod}\n", "{pod}", ""],
    ["{pod}\n{job", "{pod}", "{job"],
    ["{pod}\n\n", "{pod}", ""],
    ["\n{job}\n", "", "{job}"],
  ])("of which parts are gone, %j, gives what is left: %j and %j", (text, pod, job) => {
    expect(recordLines(text).lines).toEqual({ pod, job });
  });

  test("is to be written anew when more than that stands before the last line, the pod's apart", () => {
    const pod = "p".repeat(2 * MOST_BEHIND);
    const behind = (size: number) => recordText({ pod, job: `${"j".repeat(size)}\n{}` });
    expect(recordLines(behind(MOST_BEHIND / 2)).isTidy).toBe(true);
    expect(recordLines(behind(MOST_BEHIND)).isTidy).toBe(false);
  });
});

describe("the name of a record", () => {
  test.each(["a", "a.json", "a.json.tmp", "9d3b5e0e-0000-4000-8000-000000000001"])(
    "tells the UID %s",
    (uid) => {
      expect(uidOfRecord(recordName(uid))).toBe(uid);
    },
  );

  test.each(["", ".json", "..json", "...json", "a", "a.json.tmp", "a.json~", ".nfs0001", "-.json"])(
    "is not %j",
    (name) => {
      expect(uidOfRecord(name)).toBeUndefined();
    },
  );
});
