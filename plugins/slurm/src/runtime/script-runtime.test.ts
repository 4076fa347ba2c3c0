import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { BatchContainerSpec } from "@interlink/plugin-sdk";
import type { Container } from "kubernetes-types/core/v1.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { scriptRuntime } from "./script-runtime.ts";

const spec = (container: Partial<Container> = {}): BatchContainerSpec => ({
  kind: "regular",
  container: { name: "main", ...container },
  env: [],
  mounts: [],
});
const runtimeOf = (script: string, takesCommands = false) =>
  scriptRuntime({ script, owner: "main", bash: "/bin/bash", takesCommands });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "site's script-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Exit code and output of the container that is the script. */
async function run(script: string): Promise<{ code: number; said: string }> {
  for (const { path, content } of runtimeOf(script).files?.(spec()) ?? []) {
    await writeFile(join(folder, path.replaceAll("/", "-")), content, { mode: 0o700 });
  }
  const at = (name: string) => join(folder, `spec-main-${name}`);
  const words = ["-p", at("run-script"), folder, "regular", "main", at("job-script")];
  return promisify(execFile)("/bin/bash", words).then(
    ({ stdout }) => ({ code: 0, said: stdout }),
    ({ code, stdout }: { code: number; stdout: string }) => ({ code, said: stdout }),
  );
}

describe("a pod that a script of the site runs", { timeout: 60_000 }, () => {
  it.each<[string, string, { code: number; said: string }]>([
    ["without an interpreter", "echo $((1 + 1)); exit 4", { code: 4, said: "2\n" }],
    [
      "of bash",
      "#!/bin/bash\necho ${SANDBOX##*/} >/dev/null; [[ $PWD == $SANDBOX ]]",
      { code: 0, said: "" },
    ],
    [
      "of another interpreter",
      "#!/usr/bin/env -S cat\ntext",
      { code: 0, said: "#!/usr/bin/env -S cat\ntext" },
    ],
    [
      "that tells of its container in files",
      "echo out >run-main.out; echo 3 >run-main.status; exit 1",
      { code: 3, said: "out\n" },
    ],
    ["whose word for its end is none", "echo soon >run-main.status; exit 6", { code: 6, said: "" }],
  ])("ends as a script %s does", async (_, script, expected) => {
    await writeFile(join(folder, "run-main.status"), "9\n");
    expect(await run(script)).toEqual(expected);
    expect(await readFile(join(folder, "job-script.status"), "utf8")).toMatch(/^\d+\n$/);
  });

  it("has nothing to run commands of pods in, unless the site lets them run beside it", () => {
    const probed = spec({ livenessProbe: { exec: { command: ["id"] } } });
    expect(() => runtimeOf("").exec(probed, [])).toThrow("cannot run commands in its containers");
    expect(JSON.stringify(runtimeOf("").exec(spec(), []))).toContain("no container to enter");
    expect(runtimeOf("", true).exec(probed, ["id"])).toEqual([["id"]]);
  });
});
