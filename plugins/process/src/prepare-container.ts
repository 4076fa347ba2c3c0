import { mkdir, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ContainerSpec, CreatedContainer } from "@interlink/plugin-sdk";
import { type ConsoleMode, consoleWords, RuntimeError } from "@interlink/plugin-sdk";
import type { ContainerFiles, ContainerInfo } from "./container-files.ts";
import { containerFiles, writeInfo } from "./container-files.ts";
import { containerEnvironment } from "./environment.ts";
import { checkNonRoot } from "./non-root.ts";
import { runProgram } from "./run-program.ts";
import { linkVolumes, writeMounts } from "./volumes.ts";

export interface PreparedContainer {
  info: ContainerInfo;
  files: ContainerFiles;
  /** Its directory was not there before, so no runner of an earlier life can know of it. */
  isFresh: boolean;
  warnings: NonNullable<CreatedContainer["warnings"]>;
}

/** perl, and the path of `console.pl`. */
export interface Consoles {
  perl: string;
  script: string;
}

/** Where `enter-volumes.sh` keeps the host's root. */
const HOST_ROOT = "/.interlink-host";

/**
 * Write down all that is needed to run a container; `container.json` last, for without it the container does not exist.
 * Throws `RuntimeError` `CreateFailed` without a command, `InvalidConfig` as `checkNonRoot` does.
 */
export async function prepareContainer(
  spec: ContainerSpec,
  {
    bootId,
    canMount,
    consoles,
  }: {
    bootId: string;
    canMount: boolean;
    /** What gives containers terminals and inputs, if this host has it. */
    consoles: Consoles | undefined;
  },
  signal: AbortSignal,
): Promise<PreparedContainer> {
  const { pod, container, attempt, mounts } = spec;
  checkNonRoot(pod, container, process.getuid?.());
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
  const isMounted = mounts.length > 0 && canMount;
  if (isMounted) {
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
  const { env, aroundRunner } = containerEnvironment(spec, { home: homedir() }, extra);
  const around = aroundRunner.length > 0 ? ["/usr/bin/env", ...aroundRunner] : [];
  const mode: ConsoleMode | undefined = container.tty
    ? "tty"
    : container.stdin
      ? "pipe"
      : undefined;
  if (mode !== undefined && consoles === undefined) {
    warnings.push({
      reason: "NoConsole",
      message:
        "This host has no perl, which the process plugin needs to give a container a terminal or an input: it has neither.",
    });
  }
  const console = mode === undefined || consoles === undefined ? undefined : { mode, ...consoles };
  const inFront: string[] = [];
  if (console !== undefined) {
    // In a namespace of its own a volume may hide where the script is; the host's root is still to be seen there.
    const script = isMounted ? `${HOST_ROOT}${console.script}` : console.script;
    inFront.push(...consoleWords(console.perl, script, console.mode));
    await makePipe(files.stdin, signal);
  }
  const argv = [...inFront, ...around, ...words];
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
    hasMounts: isMounted,
    ...(aroundRunner.length > 0 && { envWords: aroundRunner }),
    ...(console && { console: console.mode, stdinOnce: container.stdinOnce === true }),
  };
  await writeInfo(files, info);
  return { info, files, isFresh, warnings };
}

/** Repeatable. Throws `RuntimeError` `CreateFailed`. */
async function makePipe(path: string, signal: AbortSignal): Promise<void> {
  const options = { env: { PATH: "/usr/bin:/bin" }, maxOutputBytes: 1024 };
  await rm(path, { force: true });
  const { exitCode, output } = await runProgram(["mkfifo", "-m", "600", path], options, signal);
  if (exitCode !== 0) {
    throw new RuntimeError("CreateFailed", `The container's input could not be made: ${output}`);
  }
}
