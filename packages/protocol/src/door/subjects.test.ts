import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../errors.ts";
import { allOf } from "./all-of.ts";
import type { Authenticate, Caller } from "./authenticate.ts";
import { covers, meantByBoth } from "./patterns.ts";
import { createSubjects } from "./subjects.ts";

const caller = { method: "POST", path: "/create", headers: {} };
const subjects = createSubjects({
  "node-1": ["lab", "lab-*"],
  "node-*": [],
  "node-10*": ["ten"],
  admin: ["*"],
  "odd*": ["odd"],
});
const asked = (certificateSubject: string) => subjects({ ...caller, certificateSubject });

describe("callers by the names of their certificates", () => {
  test.each<[string, Caller]>([
    ["node-1", { name: "node-1", namespaces: ["lab", "lab-*"] }],
    ["node-2", { name: "node-2", namespaces: [] }],
    ["node-101", { name: "node-101", namespaces: ["ten"] }],
    ["admin", { name: "admin" }],
    ["odd*", { name: "odd*", namespaces: ["odd"] }],
  ])("%j may touch %j", (name, known) => {
    expect(asked(name)).toEqual(known);
  });

  test.each(["other", "Admin", "admin2", "", "constructor", "__proto__", "node"])(
    "%j, signed by the same authority, is refused",
    (name) => {
      expect(() => asked(name)).toThrow(expect.objectContaining({ httpStatus: 403 }));
    },
  );

  test("a caller without a certificate, or with one without a name, is refused", () => {
    expect(() => subjects(caller)).toThrow(expect.objectContaining({ httpStatus: 401 }));
  });
});

describe("a caller that has to be let in by all", () => {
  const token: Authenticate = () => ({ name: "token", namespaces: ["lab-a", "other", "la*"] });
  const refuses: Authenticate = () => {
    throw new ProtocolError("refused", "unknown", { httpStatus: 401 });
  };

  test("may touch what all of them allow, and has the last name", async () => {
    const both = allOf([subjects, token]);
    const known = await both({ ...caller, certificateSubject: "node-1" });
    expect(known).toEqual({ name: "token", namespaces: ["lab", "lab-a", "lab-*"] });
    const free = await both({ ...caller, certificateSubject: "admin" });
    expect(free).toEqual({ name: "token", namespaces: ["lab-a", "other", "la*"] });
  });

  test("is refused when one of them refuses it", async () => {
    const request = { ...caller, certificateSubject: "admin" };
    for (const ways of [
      [subjects, refuses],
      [refuses, subjects],
    ]) {
      await expect(allOf(ways)(request)).rejects.toMatchObject({ httpStatus: 401 });
    }
  });
});

test("both lists mean a namespace exactly if each of them does", () => {
  const name = fc.string({ unit: fc.constantFrom("a", "b", "-"), maxLength: 4 });
  const pattern = fc.tuple(name, fc.constantFrom("", "*")).map((parts) => parts.join(""));
  const list = fc.array(pattern, { maxLength: 4 });
  fc.assert(
    fc.property(list, list, name, (first, second, one) => {
      const means = (patterns: readonly string[]) => patterns.some((two) => covers(two, one));
      expect(means(meantByBoth(first, second) ?? [])).toBe(means(first) && means(second));
    }),
  );
});
