import { createHash } from "node:crypto";
import { RuntimeError } from "@interlink/plugin-sdk";
import type { EngineClient } from "../engine/engine-client.ts";
import { EngineError, isEngineError } from "../engine/engine-error.ts";
import { jsonLines } from "../engine/json-lines.ts";
import { isPauseArchitecture, pauseBinary } from "../sandbox/pause-binary.ts";
import { tarOfFile } from "../sandbox/tar.ts";

const REPOSITORY = "localhost/interlink-pause";

/** Name of the image of pods' sandboxes; imports it into the engine if it is not there. */
export async function ensurePauseImage(engine: EngineClient, signal: AbortSignal): Promise<string> {
  const { Arch = "unknown" } = await engine.version();
  if (!isPauseArchitecture(Arch)) {
    throw new RuntimeError(
      "CreateFailed",
      `The container engine runs on ${Arch}, for which there is no built-in sandbox image: set sandboxImage to one whose /pause waits for ever.`,
    );
  }
  const archive = tarOfFile("pause", pauseBinary(Arch), 0o755);
  // The tag follows from the content, so that another version of this plugin never gets ours.
  const tag = createHash("sha256").update(archive).digest("hex").slice(0, 12);
  const image = `${REPOSITORY}:${tag}`;
  try {
    await engine.json({ method: "GET", path: `/images/${image}/json`, signal });
    return image;
  } catch (error) {
    if (!isEngineError(error, "not-found")) throw error;
  }
  const progress = await engine.stream({
    method: "POST",
    path: "/images/create",
    // The tag as part of the name: Podman overlooks it elsewhere.
    query: { fromSrc: "-", repo: image },
    body: archive,
    signal,
  });
  for await (const record of jsonLines(progress)) {
    if (typeof record === "object" && record !== null && "error" in record) {
      throw new EngineError("engine", String(record.error));
    }
  }
  return image;
}
