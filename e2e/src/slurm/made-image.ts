import { createHash } from "node:crypto";
import { runProgram } from "../systems/programs.ts";

/** An image of one layer, in the two pieces that archives and registries have it in. */
export interface MadeImage {
  /** A tar, not compressed. */
  layer: Buffer;
  /** The image's configuration (OCI `config.json`). */
  settings: Buffer;
}

/** The image of the files of directory `from`, with these settings (`WorkingDir`, `Entrypoint` …). */
export async function makeImage(
  from: string,
  config: Readonly<Record<string, unknown>>,
): Promise<MadeImage> {
  const layer = await runProgram("tar", ["-C", from, "-c", "."]);
  const settings = {
    architecture: "amd64",
    os: "linux",
    config,
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
  };
  return { layer, settings: Buffer.from(JSON.stringify(settings)) };
}

/** As images name their pieces. */
export function digestOf(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
