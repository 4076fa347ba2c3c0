import { describe, expect, test } from "vitest";
import { readOptions } from "./options.ts";

const names = ["memory", "server"];

describe("the command line", () => {
  test("asks for everything when it says nothing", () => {
    expect(readOptions([], names)).toEqual({ only: [], quick: false, help: false });
  });

  test("names scenarios, size and files", () => {
    const args = "--only memory --only server --quick --json out.json --cpu-prof profiles";
    expect(readOptions(args.split(" "), names)).toEqual({
      only: ["memory", "server"],
      quick: true,
      help: false,
      json: "out.json",
      cpuProfiles: "profiles",
    });
  });

  test.each([
    ["--only nothing", /no scenario "nothing"; there are memory, server/],
    ["--onyl memory", /--onyl/],
    ["--json", /json/],
    ["stray", /stray/],
  ])("%s is an error that says why", (args, message) => {
    expect(() => readOptions(args.split(" "), names)).toThrow(message);
  });
});
