import { expect, test } from "vitest";
import { Closing } from "./closing.ts";

test("closes everything, last made first, though one of them fails, and then says so", async () => {
  const closing = new Closing(undefined);
  const closed: string[] = [];
  const step = (name: string) => () => {
    closed.push(name);
    return name === "b" ? Promise.reject(new Error("b broke")) : Promise.resolve();
  };
  for (const name of ["a", "b", "c"]) closing.last(step(name));
  await expect(closing.close()).rejects.toThrow("b broke");
  expect(closed).toEqual(["c", "b", "a"]);
});
