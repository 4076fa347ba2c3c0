import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../systems/programs.ts";
import { makeImage } from "./made-image.ts";

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
    const { layer, settings } = await makeImage(from, config);
    writeFileSync(join(folder, "layer.tar"), layer);
    writeFileSync(join(folder, "config.json"), settings);
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
