import type { Container, EnvVar } from "kubernetes-types/core/v1.js";
import { PluginError } from "../plugin-error.ts";
import { envFileValue, fileKeyRefOf } from "../resolve/env-file.ts";
import type { BatchVolumes } from "./plan-volumes.ts";

/**
 * What the container's variables find in files of the pod's volumes, as `readFileVariables` does for pods that run
 * already. A volume that only the job fills cannot be read before there is a job. Throws `PluginError` `rejected`.
 */
export function variablesFromFiles(
  { env = [], name }: Container,
  volumes: Pick<BatchVolumes, "read">,
): ReadonlyMap<EnvVar, string> {
  const found = new Map<EnvVar, string>();
  for (const variable of env) {
    const from = fileKeyRefOf(variable);
    if (from === undefined) continue;
    const { volumeName, path, key, optional = false } = from;
    const text = volumes.read(volumeName, path);
    if (text === "unknown") {
      throw new PluginError(
        "rejected",
        `The variable ${variable.name} of container ${name} comes from a file in volume "${volumeName}", which only the job fills; a batch job needs its environment before that.`,
      );
    }
    const value = text === undefined ? undefined : envFileValue(text.content, key, path);
    // As in a kubelet an empty value counts as none.
    if (value) found.set(variable, value);
    else if (!optional) {
      const why = `environment variable key ${JSON.stringify(key)} not found in file ${JSON.stringify(path)} of volume ${JSON.stringify(volumeName)}`;
      throw new PluginError("rejected", why);
    }
  }
  return found;
}
