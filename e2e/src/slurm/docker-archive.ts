import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../systems/programs.ts";

/**
 * Makes an image as `docker save` writes one, at `path`: the files of directory `from`, and these settings (`WorkingDir`,
 * `Entrypoint` …). Apptainer pulls it as `docker-archive://PATH`.
 */
export async function makeDockerArchive(
  path: string,
  from: string,
  config: Readonly<Record<string, unknown>>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "docker-archive-"));
  try {
    await runProgram("tar", ["-C", from, "-cf", join(folder, "layer.tar"), "."]);
    const layer = createHash("sha256").update(readFileSync(join(folder, "layer.tar")));
    const settings = {
      architecture: "amd64",
      os: "linux",
      config,
      rootfs: { type: "layers", diff_ids: [`sha256:${layer.digest("hex")}`] },
    };
    writeFileSync(join(folder, "config.json"), JSON.stringify(settings));
    const manifest = [{ Config: "config.json", RepoTags: ["made:1"], Layers: ["layer.tar"] }];
    writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
    await runProgram("tar", [
      "-C",
      folder,
      "-cf",
      path,
      "config.json",
      "manifest.json",
      "layer.tar",
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
