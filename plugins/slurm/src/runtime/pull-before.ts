import { pullPolicy } from "@interlink/plugin-sdk";
import { allContainers } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { RuntimeSettings } from "../config/runtime-settings.ts";
import { apptainerPull } from "./apptainer-runtime.ts";
import { enrootPull } from "./enroot-runtime.ts";
import { enrootReference, imageFile, imageReference, isRemote } from "./image-reference.ts";
import { PULL_SCRIPT } from "./pull-image.ts";

/** An image that is pulled where the plugin runs, before the pod's job may begin. */
export interface PullBefore {
  /** As the pod names it. */
  image: string;
  /** Name of its file in the directory of images. */
  file: string;
  policy: "Always" | "IfNotPresent";
  /** Program and words, before a file and `reference`. */
  command: readonly string[];
  /** As the command is told the image. */
  reference: string;
}

/** The words behind `bash -p -c` that bring an image to `directory`, where the plugin runs. */
export function pullBeforeWords(image: PullBefore, directory: string): string[] {
  const { policy, file, command, reference } = image;
  return [PULL_SCRIPT, "pull-image", "", policy, directory, file, "0", ...command, reference];
}

/**
 * The images of a pod that have to be pulled, each once. Those with the policy `Never`, files and directories do not: the
 * job says if one is missing.
 */
export function imagesToPull(pod: Pod, runtime: RuntimeSettings, prefix: string): PullBefore[] {
  const program = [...runtime.prefix, runtime.path];
  const isEnroot = runtime.kind === "enroot";
  const pulls = new Map<string, PullBefore>();
  for (const { image = "", imagePullPolicy } of allContainers(pod)) {
    const reference = imageReference(image, prefix);
    const policy = pullPolicy(image, imagePullPolicy);
    if (!isRemote(reference) || policy === "Never") continue;
    const file = imageFile(reference, isEnroot ? "sqsh" : "sif");
    // Of two containers with the same image, one that always wants the newest gets it.
    if (pulls.get(file)?.policy === "Always") continue;
    pulls.set(file, {
      image,
      file,
      policy,
      command: isEnroot ? enrootPull(program) : apptainerPull(program),
      reference: isEnroot ? enrootReference(reference) : reference,
    });
  }
  return [...pulls.values()];
}
