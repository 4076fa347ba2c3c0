import { expect, test } from "vitest";
import { ProtocolError } from "../errors.ts";
import { anyOf } from "./any-of.ts";
import type { Authenticate } from "./authenticate.ts";

const caller = { method: "POST", path: "/create", headers: {} };
const letsIn: Authenticate = () => undefined;
const refuses: Authenticate = () => {
  throw new ProtocolError("refused", "unknown", { httpStatus: 401 });
};
const knows: Authenticate = () => {
  throw new ProtocolError("refused", "known, and not allowed", { httpStatus: 403 });
};
const isAway: Authenticate = () => {
  throw new ProtocolError("unavailable", "ask again");
};

test.each([
  ["the first", [letsIn, refuses]],
  ["the second", [refuses, letsIn]],
  ["one beside one that cannot be asked", [isAway, letsIn]],
])("who is let in by %s is let in", async (_, several) => {
  await expect(anyOf(several)(caller)).resolves.toBeUndefined();
});

test.each([
  ["refused by all", [refuses, refuses], "refused"],
  ["refused by one, where another cannot be asked", [isAway, refuses], "unavailable"],
  ["refused by one, where a later one cannot be asked", [refuses, isAway], "unavailable"],
])("who is %s is told so", async (_, several, code) => {
  await expect(anyOf(several)(caller)).rejects.toMatchObject({ code });
});

test("who is known to one, and not allowed, is told that and not that another does not know it", async () => {
  for (const several of [
    [knows, refuses],
    [refuses, knows],
  ]) {
    await expect(anyOf(several)(caller)).rejects.toMatchObject({ httpStatus: 403 });
  }
});
