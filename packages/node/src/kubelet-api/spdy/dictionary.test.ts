import { expect, it } from "vitest";
import { DICTIONARY_ID, headerDictionary } from "./dictionary.ts";

it("is the dictionary of the draft, by its length and checksum", () => {
  const dictionary = headerDictionary();
  let low = 1;
  let high = 0;
  for (const byte of dictionary) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  expect(dictionary).toHaveLength(1423);
  expect(high * 65_536 + low).toBe(DICTIONARY_ID);
});
