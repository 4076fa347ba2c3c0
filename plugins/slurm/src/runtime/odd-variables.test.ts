import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BatchContainerSpec } from "@interlink/plugin-sdk";
import fc from "fast-check";
import { expect, it } from "vitest";
import { oddVariables, oddVariablesFile, oddVariablesMount } from "./odd-variables.ts";

const spec = (env: BatchContainerSpec["env"]): BatchContainerSpec => ({
  kind: "regular",
  container: { name: "main" },
  env,
  mounts: [],
});

it("takes only what a runtime does not hand over", () => {
  const names = ["PLAIN", "_x1", "a.b", "a-b", "1a", "HOME", "HOMES"];
  const odd = oddVariables(spec(names.map((name) => ({ name, value: "" }))));
  expect(odd.map(({ name }) => name)).toEqual(["a.b", "a-b", "1a", "HOME"]);
});

it("is nothing where there are none", () => {
  expect(oddVariablesFile(spec([{ name: "A", value: "x" }]))).toBeUndefined();
  expect(oddVariablesMount(spec([]))).toEqual([]);
});

it.each([
  ["takes values from its environment", ""],
  ["takes them as words", '[ "$1" != -S ] || exit 125\n'],
])("hands over every byte to a real shell whose env %s", (_, refusal) => {
  const folder = mkdtempSync(join(tmpdir(), "odd-variables-"));
  const script = join(folder, "script");
  writeFileSync(join(folder, "env"), `#!/bin/sh\n${refusal}exec /usr/bin/env "$@"\n`, {
    mode: 0o755,
  });
  const value = fc.oneof(
    fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", "")),
    fc.string({ unit: fc.constantFrom("'", '"', "$", "`", "\\", "\n", "(", ")", "a", " ") }),
  );
  try {
    fc.assert(
      fc.property(value, value, (one, other) => {
        const file = oddVariablesFile(
          spec([
            { name: "a.b", value: one },
            { name: "HOME", value: other },
            { name: "it's \\ $x", value: other },
          ]),
        );
        writeFileSync(script, file?.content ?? "");
        const printed = execFileSync("sh", [script, "/usr/bin/env", "-0"], {
          env: { PATH: `${folder}:/usr/bin:/bin` },
        });
        const lines = printed.toString().split("\0");
        expect(lines).toContain(Buffer.from(`a.b=${one}`).toString());
        expect(lines).toContain(Buffer.from(`HOME=${other}`).toString());
        expect(lines).toContain(Buffer.from(`it's \\ $x=${other}`).toString());
        expect(printed.toString()).not.toContain("interlink_");
      }),
      { numRuns: 30 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
