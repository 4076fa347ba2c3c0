import { DOCKER_CONFIG, readDockerConfig } from "@interlink/plugin-docker";
import {
  ConfigError,
  type ConfigSources,
  configKeys,
  type SettingSchema,
  settingSchema,
} from "@interlink/plugin-sdk";
import { readSlurmConfig, SLURM_CONFIG } from "@interlink/plugin-slurm";
import fc from "fast-check";
import type { TObject } from "typebox";
import { describe, expect, test } from "vitest";
import { NODE_CONFIG, readNodeConfig } from "./node-config.ts";
import { readServerConfig, SERVER_CONFIG } from "./server-config.ts";

const ROLES: [string, TObject, (sources: ConfigSources) => unknown][] = [
  ["node", NODE_CONFIG, readNodeConfig],
  ["server", SERVER_CONFIG, readServerConfig],
  ["docker", DOCKER_CONFIG, readDockerConfig],
  ["slurm", SLURM_CONFIG, readSlurmConfig],
];

const FILE = "site.yaml";
/** They mean something only together, at the Slurm plugin: its own test has them (slurm-config.test.ts, "takes a tunnel"). */
const TOGETHER: ReadonlySet<string> = new Set(["Tsocks", "TsocksPath"]);
const nothing = { env: {} };

/** What a person may have written by mistake, or somebody on purpose. */
function hostileText(schema: TObject): fc.Arbitrary<string> {
  const names = configKeys(settingSchema(schema)).map(({ path }) => path.split(/[.[]/, 1)[0] ?? "");
  const value = fc.oneof(
    fc.json(),
    fc.constantFrom(
      "~",
      "yes",
      "-1",
      "1e999",
      "0x7f",
      "&a [*a]",
      "*nobody",
      "!!binary x",
      "<<: *x",
    ),
    fc.constantFrom("|\n  a\n b", "'", '"\\q"', "{a: [}", "2001-01-01", "!<tag:x> 1", "? a", "- b"),
    fc.string(),
  );
  const lines = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...names), fc.string()), value), {
    maxLength: 6,
  });
  return fc.oneof(
    lines.map((all) => all.map(([name, one]) => `${name}: ${one}`).join("\n")),
    fc.string({ unit: "binary" }),
  );
}

describe.each(ROLES)("the configuration of %s", (_, schema, read) => {
  test("is read, or refused in lines that name the file, whatever it is", () => {
    fc.assert(
      fc.property(hostileText(schema), (text) => {
        try {
          expect(read({ file: { name: FILE, text }, env: {} })).toBeTypeOf("object");
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
          for (const line of (error as ConfigError).message.split("\n")) {
            expect(line).toMatch(/^site\.yaml[:]/);
          }
        }
      }),
    );
  });

  test.each(["[", "{a: ", "- "])("may not be nested without end: %s", (text) => {
    const deep = text.repeat(3_000);
    expect(() => read({ file: { name: FILE, text: deep }, env: {} })).toThrow(ConfigError);
  });

  test("does not grow beyond what was written, by names that stand for each other", () => {
    const bomb = ["x0: &x0 [a, a, a, a, a, a, a, a, a]"];
    for (let i = 1; i < 12; i++) {
      bomb.push(`x${i}: &x${i} [${Array.from({ length: 9 }, () => `*x${i - 1}`).join(", ")}]`);
    }
    const text = bomb.join("\n");
    expect(() => read({ file: { name: FILE, text }, env: {} })).toThrow(ConfigError);
  });

  test("is nothing but defaults without a file and variables", () => {
    expect(read(nothing)).toEqual(read({ file: { name: FILE, text: "" }, env: {} }));
  });

  const variables = configKeys(settingSchema(schema)).flatMap(
    ({ path, schema: { env = [], ...one } }) =>
      one.ignored === undefined && !TOGETHER.has(path)
        ? env.map((name) => ({ name, path, ...examples(one) }))
        : [],
  );
  test.each(variables)(
    "takes $path from $name before the file, and from the file before the default",
    ({ name, path, one, other }) => {
      const parts = path.split(".");
      const text = `${parts.join(": { ")}: ${one}${" }".repeat(parts.length - 1)}\n`;
      const from = (env: Record<string, string>, text?: string) =>
        told(read({ env, ...(text === undefined ? {} : { file: { name: FILE, text } }) }));
      expect(from({ [name]: other }, text)).toEqual(from({ [name]: other }));
      expect(from({}, text)).toEqual(from({ [name]: one }));
      expect(from({ [name]: other }, text)).not.toEqual(from({}, text));
      expect(from({}, text)).not.toEqual(from({}));
    },
  );
});

/** Two values that a key may have, and that are not its default. */
function examples({ type }: SettingSchema): { one: string; other: string } {
  return type === "boolean" ? { one: "true", other: "false" } : { one: "4100", other: "4200" };
}

/** Without the sentences, which name the place. */
function told(config: unknown): unknown {
  const { notices: _, ...rest } = config as { notices: string[] };
  return rest;
}
