import { mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ContainerSpec, CreatedContainer } from "@interlink/plugin-sdk";
import { RuntimeError } from "@interlink/plugin-sdk";
import type { ContainerFiles, ContainerInfo } from "./container-files.ts";
import { containerFiles, writeInfo } from "./container-files.ts";
import { containerEnvironment } from "./environment.ts";
import { linkVolumes, writeMounts } from "./volumes.ts";

export interface PreparedContainer {
  info: ContainerInfo;
  files: ContainerFiles;
  /** Its directory was not there before, so no runner of an earlier life can know of it. */
  isFresh: boolean;
  warnings: NonNullable<CreatedContainer["warnings"]>;
}

/**
 * Write down all that is needed to run a container; `container.json` last, for without it the container does not exist.
 * Throws `RuntimeError` `CreateFailed` without a command.
 */
export async function prepareContainer(
  spec: ContainerSpec,
  { bootId, canMount }: { bootId: string; canMount: boolean },
): Promise<PreparedContainer> {
  const { pod, container, attempt, mounts } = spec;
  // An image without ENTRYPOINT runs its args; what no image says cannot be known here.
  const words = [...(spec.command ?? []), ...(spec.args ?? [])];
  const [command] = words;
  if (command === undefined) {
    throw new RuntimeError(
      "CreateFailed",
      `The process plugin has no images and cannot know what to run: give the container "${container.name}" a command.`,
    );
  }
  const files = containerFiles(spec.directory);
  const isFresh = (await mkdir(files.work, { recursive: true })) !== undefined;
  const cwd = container.workingDir || files.work;
  const extra: Record<string, string> = { INTERLINK_TERMINATION_LOG: spec.terminationMessageFile };
  const warnings: PreparedContainer["warnings"] = [];
  if (mounts.length > 0 && canMount) {
    await writeMounts(files, cwd, mounts);
  } else if (mounts.length > 0) {
    const directory = join(files.work, "volumes");
    await linkVolumes(directory, mounts);
    extra["INTERLINK_VOLUMES"] = directory;
    warnings.push({
      reason: "VolumesNotMounted",
      message:
        "This host does not let the process plugin mount: the volumes are not at their mountPath but below the directory in $INTERLINK_VOLUMES.",
    });
  }
  const { env, aroundBash } = containerEnvironment(spec, { home: homedir() }, extra);
  const around = aroundBash.length > 0 ? ["/usr/bin/env", ...aroundBash] : [];
  const argv = [...around, ...words];
  await writeFile(files.argv, argv.map((word) => `${word}\0`).join(""), { mode: 0o600 });
  const lifecycle = container.lifecycle as { stopSignal?: string } | undefined;
  const info: ContainerInfo = {
    schemaVersion: 1,
    uid: pod.metadata?.uid ?? "",
    container: container.name,
    attempt,
    bootId,
    env,
    cwd,
    command,
    logFile: spec.logFile,
    stopSignal: lifecycle?.stopSignal ?? "SIGTERM",
    hasMounts: mounts.length > 0 && canMount,
  };
  await writeInfo(files, info);
  return { info, files, isFresh, warnings };
}
