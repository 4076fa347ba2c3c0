import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { podData } from "@interlink/plugin-sdk/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readSlurmConfig } from "../config/slurm-config.ts";
import { planJob } from "./plan-job.ts";

const UID = "5f0c3f6e-0000-4000-8000-000000000001";
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "plan-job-"));
});
afterEach(() => rm(folder, { recursive: true }));

const plan = (uid: string) => {
  const path = join(folder, "enroot of the site's");
  const prefix = String.raw`env "TOLD=it's; it is"`;
  const file = { ContainerRuntime: "enroot", EnrootPath: path, EnrootPrefix: prefix };
  const { options: settings } = readSlurmConfig({
    file: { name: "f.yaml", text: JSON.stringify(file) },
    env: {},
  });
  return planJob({ data: podData(uid), settings, batchScript: "#!/bin/bash\nexit 3\n", ownUid: 0 });
};

describe("a job of enroot", () => {
  it("removes all root file systems of its pod when it ends, also those that updates have brought", async () => {
    await writeFile(
      join(folder, "enroot of the site's"),
      `#!/bin/bash
case $1 in
  list) printf '%s\\n' other interlink-${UID}-0123 interlink-other-4567 interlink-${UID}-89ab ;;
  *) echo "$TOLD: $*" >>"${folder}/told" ;;
esac
`,
      { mode: 0o755 },
    );
    await writeFile(join(folder, "job.sh"), plan(UID).script);
    const running = promisify(execFile)("bash", ["-p", join(folder, "job.sh"), folder]);
    await expect(running).rejects.toMatchObject({ code: 3 });
    expect(await readFile(join(folder, "told"), "utf8")).toBe(
      `it's; it is: remove -f interlink-${UID}-0123\nit's; it is: remove -f interlink-${UID}-89ab\n`,
    );
  });

  it.each(["x) touch y ;; *", "$(id)", "a b"])("is none of a pod with the UID %j", (uid) => {
    expect(() => plan(uid)).toThrow("metadata.uid");
  });
});
