import type { BatchContainerSpec, BatchRuntime, BatchWord } from "@interlink/plugin-sdk";
import { bindWords } from "./bind-words.ts";
import { imageReference, isFile, isRemote } from "./image-reference.ts";
import { messageLink, messageMounts } from "./message-link.ts";
import {
  ODD_VARIABLES_PATH,
  oddVariables,
  oddVariablesFile,
  oddVariablesMount,
} from "./odd-variables.ts";
import { plainWords } from "./plain-words.ts";
import { pulledDirectory, pulledImage, pullFile, pullWords } from "./pull-image.ts";
import type { PodRuntimeOptions } from "./runtime-options.ts";
import { tunnelHook, tunnelMounts } from "./tunnel-mounts.ts";

/**
 * Containers by Apptainer or Singularity. Images with a scheme are pulled once into a SIF file under a lock; paths run as
 * they are. Environment goes by `APPTAINERENV_NAME` or `SINGULARITYENV_NAME`, so no value stands on a command line.
 *
 * A command in a running container (probe, hook, exec) is started in it, where the site's program makes containers in
 * user namespaces. One that is installed setuid root makes them so that no user may enter: then the command gets another
 * container of the same image, environment and mounts, with the same `/tmp` and `/var/tmp`.
 */
export function apptainerRuntime(options: PodRuntimeOptions): BatchRuntime {
  const { command, imagePrefix, imageCache, bash, tunnelLibrary } = options;
  const isApptainer = /apptainer[^/]*$/.test(command.at(-1) ?? "");
  const isGiven = (...names: string[]): boolean =>
    [...options.defaultOptions, ...options.podOptions].some((option) => names.includes(option));
  const hasOwnDev = isGiven("--containall", "-C", "--contain", "-c");
  const ownProcesses = isGiven("--containall", "-C", "--pid", "-p");
  // The process that both put before a container of its own process ids loses exit codes: one that traps SIGTERM and
  // ends in order is told as killed by it. Without, the container's own is the first, as under Kubernetes.
  const ownInit = ownProcesses ? ["--no-init"] : [];
  const isExact = isGiven("--no-eval");
  const exportPrefix = isApptainer ? "APPTAINERENV_" : "SINGULARITYENV_";
  const reference = ({ container }: BatchContainerSpec) =>
    imageReference(container.image ?? "", imagePrefix);

  const prepare = (spec: BatchContainerSpec): BatchWord[][] => {
    const image = reference(spec);
    if (!isRemote(image)) return [];
    const pull = apptainerPull(command);
    return [
      pullWords({
        spec,
        reference: image,
        extension: "sif",
        cache: imageCache,
        isThere: options.pullsBefore,
        bash,
        command: pull,
        program: command.length,
        image,
      }),
    ];
  };

  const words = (spec: BatchContainerSpec, verb: "run" | "exec"): BatchWord[] => {
    const image = reference(spec);
    const { container } = spec;
    const { workingDir } = container;
    const { terminationMessage: message } = spec;
    const mounts = [
      ...spec.mounts,
      ...(message ? messageMounts(spec, message, hasOwnDev && isFile(image)) : []),
      ...oddVariablesMount(spec),
      ...(tunnelLibrary && isFile(image) ? tunnelMounts(spec, tunnelLibrary) : []),
    ];
    const directory: BatchWord | undefined = workingDir
      ? [workingDir]
      : isRemote(image)
        ? [{ podText: pulledDirectory(image, "sif") }]
        : undefined;
    return [
      ...plainWords([
        ...aroundEnvironment(spec, exportPrefix, isExact),
        ...command,
        "--silent",
        verb,
        ...options.defaultOptions,
        ...ownInit,
        ...gpuOptions(spec, options),
      ]),
      // What containers write to their /tmp is then seen by their probes and hooks.
      ["--workdir"],
      [{ attemptPath: "." }],
      ...mounts.flatMap(bindWords),
      ...(directory ? [["--pwd"], directory] : []),
      ...plainWords(options.podOptions),
      [isRemote(image) ? { podPath: pulledImage(image, "sif") } : image],
      ...(oddVariables(spec).length === 0 ? [] : [["/bin/sh"], [ODD_VARIABLES_PATH]]),
    ];
  };

  return {
    exportPrefix,
    enter: ownProcesses,
    files: (spec) => {
      const odd = oddVariablesFile(spec);
      const image = reference(spec);
      const link = messageLink(spec, hasOwnDev && isFile(image));
      return [
        ...(isRemote(image) ? [pullFile(spec)] : []),
        ...(tunnelLibrary && isFile(image) ? [tunnelHook(spec, tunnelLibrary)] : []),
        ...(odd ? [odd] : []),
        ...(link ? [link] : []),
      ];
    },
    prepare,
    run(spec) {
      const { args = [] } = spec;
      const launcher = spec.kind === "regular" ? options.launcher : [];
      // With odd variables the image's own entry point is a command like any other.
      const own =
        spec.command ??
        (oddVariables(spec).length === 0 ? undefined : ["/.singularity.d/runscript"]);
      return [
        ...plainWords(launcher),
        ...words(spec, own === undefined ? "run" : "exec"),
        ...plainWords([...(own ?? []), ...args]),
      ];
    },
    exec: (spec, inside) => [...words(spec, "exec"), ...plainWords(inside)],
  };
}

/** What pulls, before a file and an image. */
export function apptainerPull(command: readonly string[]): string[] {
  return [...command, "--silent", "pull", "--force"];
}

/**
 * Odd variables come by a script in the container, as they would make it lose all the others. Without `--no-eval` values
 * would be read by a shell in the container, and `$(x)` in them be run: told by variables, as only newer versions know it.
 */
function aroundEnvironment(
  spec: BatchContainerSpec,
  exportPrefix: string,
  isExact: boolean,
): string[] {
  const words = [
    ...oddVariables(spec).map(({ name }) => `--unset=${exportPrefix}${name}`),
    ...(isExact ? [] : ["APPTAINER_NO_EVAL=1", "SINGULARITY_NO_EVAL=1"]),
  ];
  return words.length === 0 ? [] : ["env", ...words];
}

function gpuOptions({ container }: BatchContainerSpec, { gpus }: PodRuntimeOptions): string[] {
  const { limits = {} } = container.resources ?? {};
  const own = Object.keys(limits);
  if (own.some((name) => name.startsWith("nvidia.com/")) || gpus === "nvidia") return ["--nv"];
  if (own.some((name) => name.startsWith("amd.com/")) || gpus === "amd") return ["--rocm"];
  return [];
}
