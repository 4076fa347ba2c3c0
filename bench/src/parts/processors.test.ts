import { describe, expect, test } from "vitest";
import { parseProcessors, shareProcessors } from "./processors.ts";

describe("the processors of a machine", () => {
  test.each([
    ["0", [0]],
    ["0-1", [0, 1]],
    ["0-2,5,8-9\n", [0, 1, 2, 5, 8, 9]],
  ])("are read from the list %j", (list, found) => {
    expect(parseProcessors(list)).toEqual(found);
  });

  test("are shared between the control plane and the others, with none in both", () => {
    expect(shareProcessors([0, 1])).toEqual({ controlPlane: "0", others: "1" });
    expect(shareProcessors([0, 2, 4, 6, 8])).toEqual({ controlPlane: "0,2", others: "4,6,8" });
  });

  test("cannot be shared where there is one", () => {
    expect(shareProcessors([3])).toBeUndefined();
  });
});
