import type { Container } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import type { PodVolumes } from "../volumes/pod-volumes.ts";
import { envFileValue, readFileVariables } from "./env-file.ts";

describe("a file of variables", () => {
  const FILE = [
    "# made by an init container",
    "",
    "  FIRST='one'",
    "QUOTED='$HOME \"x\" \\n'  # a comment",
    "LINES='a",
    "# not a comment",
    "b'",
    "EMPTY=''",
    "BLANK= 'not this'",
    "TWICE='1'",
    "TWICE='2'",
  ].join("\n");

  test.each<[string, string | undefined]>([
    ["FIRST", "one"],
    ["QUOTED", '$HOME "x" \\n'],
    ["LINES", "a\n# not a comment\nb"],
    ["EMPTY", ""],
    ["BLANK", ""],
    ["TWICE", "1"],
    ["NONE", undefined],
  ])("has %s", (key, value) => {
    expect(envFileValue(FILE, key, "f")).toBe(value);
    expect(envFileValue(`${FILE.replaceAll("\n", "\r\n")}\r\n`, key, "f")).toBe(value);
  });

  test.each([
    ["A", "missing '='"],
    ["='x'", "empty variable name"],
    ["A ='x'", "whitespace before '=' is not allowed"],
    ["A=x", "value must be enclosed in single quotes"],
    ["A=", "value must be enclosed in single quotes"],
    ["A='x", "unclosed single quote"],
    ["A='x' y", "unexpected content after closing quote"],
  ])("is refused with %j", (line, why) => {
    expect(() => envFileValue(`OK='1'\n${line}\n`, "B", "f.env")).toThrow(
      `invalid environment variable format at line 2 of "f.env": ${why}`,
    );
  });
});

describe("variables from files", () => {
  const volumes: PodVolumes = {
    mounts: async () => [],
    read: async (volume, path) => (`${volume}/${path}` === "v/f" ? "A='1'\nEMPTY=''\n" : undefined),
  };
  const read = async (path: string, key: string, more = {}) => {
    const valueFrom = { fileKeyRef: { volumeName: "v", path, key }, ...more };
    const env = [{ name: "X", valueFrom }] as unknown as Container["env"];
    const values = await readFileVariables({ name: "c", ...(env && { env }) }, volumes);
    return [...values.values()];
  };
  const optional = (path: string, key: string) =>
    read(path, key, { fileKeyRef: { volumeName: "v", path, key, optional: true } });

  test("are found, or left out if they are optional", async () => {
    expect(await read("f", "A")).toEqual(["1"]);
    for (const [path, key] of [
      ["no", "A"],
      ["f", "NO"],
      ["f", "EMPTY"],
    ] as const) {
      expect(await optional(path, key)).toEqual([]);
      await expect(read(path, key)).rejects.toMatchObject({
        code: "rejected",
        message: `environment variable key "${key}" not found in file "${path}" of volume "v"`,
      });
    }
  });
});
