import fc from "fast-check";
import { Type } from "typebox";
import { describe, expect, test } from "vitest";
import { ConfigError } from "./config-error.ts";
import { configKeys, settingSchema } from "./config-schema.ts";
import { nearest } from "./nearest.ts";
import { readConfig } from "./read-config.ts";

const closed = { additionalProperties: false };
const SCHEMA = Type.Object(
  {
    Address: Type.String({ default: "http://0.0.0.0", env: ["ADDRESS"] }),
    Port: Type.Optional(Type.String({ pattern: "^[0-9]+$", env: ["PORT", "OLDPORT"] })),
    Verbose: Type.Optional(Type.Boolean({ env: ["VERBOSE"] })),
    Pods: Type.Optional(Type.Integer({ minimum: 1, env: ["PODS"] })),
    Mode: Type.Optional(Type.Union([Type.Literal("auto"), Type.Literal("none")])),
    Unused: Type.Optional(Type.Unknown({ ignored: "it never had an effect" })),
    TLS: Type.Optional(
      Type.Object(
        { Enabled: Type.Boolean({ default: false }), CertFile: Type.Optional(Type.String()) },
        closed,
      ),
    ),
    Taints: Type.Optional(
      Type.Array(
        Type.Object({ Key: Type.String(), Effect: Type.String({ default: "NoSchedule" }) }, closed),
      ),
    ),
    Removal: Type.Optional(
      Type.Union([
        Type.Literal(false),
        Type.Object({ Percent: Type.Integer({ maximum: 100, minimum: 1, default: 85 }) }, closed),
      ]),
    ),
    Flavors: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Object({ CPU: Type.Integer({ minimum: 0, default: 1 }) }, closed),
      ),
    ),
  },
  closed,
);

function read(text: string, env: Record<string, string> = {}) {
  return readConfig(SCHEMA, { file: { name: "a.yaml", text }, env });
}

function problemsOf(text: string, env: Record<string, string> = {}): string[] {
  try {
    read(text, env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message.split("\n");
  }
  throw new Error("it was accepted");
}

describe("a configuration", () => {
  test("is what the file says, with the defaults", () => {
    const text = "Port: 3000\nVerbose: yes\nTLS:\n  Enabled: true\nTaints:\n  - Key: a\n";
    expect(read(text).value).toEqual({
      Address: "http://0.0.0.0",
      Port: "3000",
      Verbose: true,
      TLS: { Enabled: true },
      Taints: [{ Key: "a", Effect: "NoSchedule" }],
    });
  });

  test.each(["", "# nothing\n", "---\n", "Port:\n", "Verbose: ~\nPods: null\n"])(
    "may be empty, or have keys without values: %j",
    (text) => {
      // What may be left out as a whole stays out.
      expect(read(text).value).toEqual({ Address: "http://0.0.0.0" });
    },
  );

  test("has the defaults of a mapping that may also be false", () => {
    expect(read("Removal: {}\n").value.Removal).toEqual({ Percent: 85 });
    expect(read("Removal: no\n").value.Removal).toBe(false);
  });

  test("has the defaults of what is there, also in lists", () => {
    const { value } = read("TLS: {}\nTaints:\n  - Key: a\nFlavors:\n  big: {}\n");
    expect(value).toEqual({
      Address: "http://0.0.0.0",
      TLS: { Enabled: false },
      Taints: [{ Key: "a", Effect: "NoSchedule" }],
      Flavors: { big: { CPU: 1 } },
    });
  });

  test.each([
    ["the file goes before the default", "Address: a", {}, "a"],
    ["a variable goes before the file", "Address: a", { ADDRESS: "b" }, "b"],
    ["an empty variable counts as none", "Address: a", { ADDRESS: "" }, "a"],
  ])("%s", (_, text, env, address) => {
    expect(read(text, env).value.Address).toBe(address);
  });

  test("takes the first of several variables, and their text as what is wanted", () => {
    const { value } = read("", { PORT: "1", OLDPORT: "2", VERBOSE: "0", PODS: "7" });
    expect(value).toMatchObject({ Port: "1", Verbose: false, Pods: 7 });
    expect(read("", { OLDPORT: "2" }).value.Port).toBe("2");
  });

  test.each([
    ["a: [\n", [/^a\.yaml:\d: \S/]],
    ["- a\n", [/^a\.yaml: it holds no keys; it must be a YAML mapping\.$/]],
    ["\nAdress: x\n", ['a.yaml:2: there is no key "Adress" here; did you mean "Address"?']],
    ["qqqqqq: x\n", ['a.yaml:1: there is no key "qqqqqq" here']],
    ["Removal: 3\n", ["a.yaml:1: Removal: give false or keys and values, indented."]],
    [
      "Removal:\n  Percent: 101\n",
      ["a.yaml:2: Removal.Percent: give a whole number from 1 to 100."],
    ],
    [
      "Removal:\n  Percnt: 1\n",
      ['a.yaml:2: there is no key "Percnt" here; did you mean "Percent"?'],
    ],
    ["Enabled: true\n", ['a.yaml:1: there is no key "Enabled" here; did you mean "Enabled"?']],
    [
      "TLS:\n  CertFil: x\n",
      ['a.yaml:2: there is no key "CertFil" here; did you mean "CertFile"?'],
    ],
    ["constructor: x\n", ['a.yaml:1: there is no key "constructor" here']],
    ["Flavors:\n  __proto__: { CPU: 1 }\n", ['a.yaml:2: there is no key "__proto__" here']],
    ["Verbose: maybe\n", ["a.yaml:1: Verbose: give true or false."]],
    ["\nPods: 0\n", ["a.yaml:2: Pods: give a whole number, at least 1."]],
    ["Mode: other\n", ["a.yaml:1: Mode: give one of auto, none."]],
    ["Port: http\n", [/^a\.yaml:1: Port: give text\. \(it must match pattern/]],
    ["Address: [a]\n", ["a.yaml:1: Address: give text."]],
    ["TLS: true\n", ["a.yaml:1: TLS: give keys and values, indented."]],
    ["Taints:\n  - Key: a\n  - Effect: b\n", ["a.yaml:3: Taints.1.Key: it is missing; give text."]],
    [
      "Flavors:\n  big:\n    CPU: -1\n",
      ["a.yaml:3: Flavors.big.CPU: give a whole number, at least 0."],
    ],
  ])("that is wrong is refused with its place and what is allowed: %j", (text, expected) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(expected.length);
    for (const [index, one] of expected.entries()) {
      if (typeof one === "string") expect(problems[index]).toBe(one);
      else expect(problems[index]).toMatch(one);
    }
  });

  test("tells every problem at once, those of variables by their names", () => {
    expect(problemsOf("Verbose: 3\nnothing-like-it: 1\n", { PODS: "many" })).toEqual([
      'a.yaml:2: there is no key "nothing-like-it" here',
      "a.yaml:1: Verbose: give true or false.",
      "PODS: give a whole number, at least 1.",
    ]);
  });

  test("says which keys are ignored, and why", () => {
    const { value, notices } = read("Pods: 1\nUnused: { a: 1 }\n");
    expect(value).not.toHaveProperty("Unused");
    expect(notices).toEqual(["a.yaml:2: Unused is ignored: it never had an effect."]);
  });

  test("of any text is read, or refused in lines that name the file", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json(), fc.stringMatching(/^[A-Za-z:\-[\]{}&*!\n ]*$/)),
        (text) => {
          try {
            expect(read(text).value.Address).toBeTypeOf("string");
          } catch (error) {
            expect(error).toBeInstanceOf(ConfigError);
            for (const line of (error as Error).message.split("\n"))
              expect(line).toMatch(/^a\.yaml/);
          }
        },
      ),
    );
  });
});

describe("the keys of a schema", () => {
  test("are listed with the lists' entries and with names of the operator's", () => {
    const keys = configKeys(settingSchema(SCHEMA)).map(({ path, type }) => `${path} ${type}`);
    expect(keys).toEqual([
      "Address string",
      "Port string",
      "Verbose boolean",
      "Pods integer",
      'Mode "auto" | "none"',
      "Unused any",
      "TLS.Enabled boolean",
      "TLS.CertFile string",
      "Taints[].Key string",
      "Taints[].Effect string",
      "Removal false | mapping",
      "Removal.Percent integer",
      "Flavors.*.CPU integer",
    ]);
  });
});

test.each([
  ["adress", ["Address", "Port"], "Address"],
  ["netwrok", ["network", "devices"], "network"],
  ["Prot", ["Address", "Port"], "Port"],
  ["Something", ["Address", "Port"], undefined],
  ["x", [], undefined],
])("the nearest name to %s of %j is %s", (name, known, expected) => {
  expect(nearest(name, known)).toBe(expected);
});
