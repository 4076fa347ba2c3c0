import type { FileSettings } from "./config-schema.ts";
import { optionWords, settingWords } from "./setting-words.ts";

/** What runs containers on the compute nodes, and with which words. */
export interface RuntimeSettings {
  kind: "singularity" | "enroot";
  path: string;
  /** Words before the runtime's own, e.g. of a wrapper. */
  prefix: readonly string[];
  defaultOptions: readonly string[];
  /** Absolute directory on the compute nodes for pulled images; default: one below the job user's home. */
  imageCache?: string;
}

const DEFAULT_SINGULARITY_OPTIONS = ["--no-eval", "--containall"];

/** The runtime that the file names, with its own settings. Throws a sentence that begins with the key. */
export function readRuntime(file: FileSettings): RuntimeSettings {
  const cache = file.ImageCache === undefined ? {} : { imageCache: file.ImageCache };
  if (file.ContainerRuntime === "enroot") {
    return {
      kind: "enroot",
      path: file.EnrootPath ?? "enroot",
      prefix: settingWords("EnrootPrefix", file.EnrootPrefix),
      defaultOptions: optionWords("EnrootDefaultOptions", file.EnrootDefaultOptions ?? ["--rw"]),
      ...cache,
    };
  }
  return {
    kind: "singularity",
    path:
      file.SingularityPath ?? (file.ContainerRuntime === "apptainer" ? "apptainer" : "singularity"),
    prefix: settingWords("SingularityPrefix", file.SingularityPrefix),
    // The earlier plugin took an empty list for none; without options a container would see the job user's home.
    defaultOptions: optionWords(
      "SingularityDefaultOptions",
      file.SingularityDefaultOptions?.length
        ? file.SingularityDefaultOptions
        : DEFAULT_SINGULARITY_OPTIONS,
    ),
    ...cache,
  };
}
