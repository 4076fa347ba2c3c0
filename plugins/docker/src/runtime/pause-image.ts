import { createHash } from "node:crypto";
import { RuntimeError } from "@interlink/plugin-sdk";
import type { EngineClient } from "../engine/engine-client.ts";
import { EngineError, isEngineError } from "../engine/engine-error.ts";
import { jsonLines } from "../engine/json-lines.ts";
import { isArchitecture } from "../sandbox/elf-file.ts";
import { pauseBinary } from "../sandbox/pause-binary.ts";
import { relayBinary } from "../sandbox/relay-binary.ts";
import { tarOf } from "../sandbox/tar.ts";

/** Of the program in it that carries connections to ports of the pod. */
export const RELAY_PATH = "/relay";

/** Of all versions of the image, which are never removed while plugins may need them. */
export const PAUSE_REPOSITORY = "localhost/interlink-pause";

/** Name of the image of pods' sandboxes; imports it into the engine if it is not there. */
export async function ensurePauseImage(engine: EngineClient, signal: AbortSignal): Promise<string> {
  const { Arch = "unknown" } = await engine.version();
  if (!isArchitecture(Arch)) {
    throw new RuntimeError(
      "CreateFailed",
      `The container engine runs on ${Arch}, for which there is no built-in sandbox image: set sandboxImage to one whose /pause waits for ever.`,
    );
  }
  const archive = tarOf([
    { name: "pause", content: pauseBinary(Arch), mode: 0o755 },
    { name: RELAY_PATH.slice(1), content: relayBinary(Arch), mode: 0o755 },
  ]);
  // The tag follows from the content, so that another version of this plugin never gets ours.
  const tag = createHash("sha256").update(archive).digest("hex").slice(0, 12);
  const image = `${PAUSE_REPOSITORY}:${tag}`;
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
