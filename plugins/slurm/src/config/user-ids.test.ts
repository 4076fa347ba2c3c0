import { PluginError } from "@interlink/plugin-sdk";
import { expect, it } from "vitest";
import { jobUser, readUidRange } from "./user-ids.ts";

it.each<[string | number, number, number]>([
  [1000, 1000, 1000],
  ["1000-1999", 1000, 1999],
  [" 5 - 7 ", 5, 7],
])("reads %j", (value, first, last) => {
  expect(readUidRange(value)).toEqual({ first, last });
});

it.each(["", "-1", "7-5", "a", -1, 1.5])("refuses the users %j", (value) => {
  expect(() => readUidRange(value)).toThrow("AllowedUIDs");
});

const user = (runAsUser: number | undefined, given: { flavorUid?: number; defaultUid?: number }) =>
  jobUser({
    pod: {
      spec: { containers: [], securityContext: runAsUser === undefined ? {} : { runAsUser } },
    },
    allowed: [readUidRange("1000-1999")],
    ownUid: 0,
    ...given,
  });

it.each<[number | undefined, object, number | undefined]>([
  [undefined, {}, undefined],
  [undefined, { defaultUid: 3 }, 3],
  [undefined, { defaultUid: 3, flavorUid: 4 }, 4],
  [1000, { flavorUid: 4 }, 1000],
  [4, { flavorUid: 4 }, 4],
  [0, {}, undefined],
])("runs a pod that asks for %s under %j as %s", (asked, given, expected) => {
  expect(user(asked, given)).toBe(expected);
});

it.each<[number, object]>([
  [0, { defaultUid: 3 }],
  [2000, {}],
  [-1, {}],
])("refuses a pod that asks for %s under %j", (asked, given) => {
  expect(() => user(asked, given)).toThrow(PluginError);
});
