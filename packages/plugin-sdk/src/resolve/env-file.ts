import type { Container, EnvVar } from "kubernetes-types/core/v1.js";
import { PluginError } from "../plugin-error.ts";
import type { PodVolumes } from "../volumes/pod-volumes.ts";

/** `valueFrom.fileKeyRef` (Kubernetes ≥ 1.34); the type package does not know it yet. */
interface FileKeyRef {
  volumeName: string;
  /** Below the volume. */
  path: string;
  key: string;
  optional?: boolean;
}

export function fileKeyRefOf({ value, valueFrom }: EnvVar): FileKeyRef | undefined {
  if (value !== undefined && value !== "") return undefined;
  return (valueFrom as { fileKeyRef?: FileKeyRef } | undefined)?.fileKeyRef;
}

/**
 * What the container's variables find in files of the pod's volumes, by variable; optional ones that find nothing are
 * left out. Throws `PluginError` `rejected` for others, and for a file that is none of variables.
 */
export async function readFileVariables(
  { env = [] }: Container,
  volumes: PodVolumes,
): Promise<ReadonlyMap<EnvVar, string>> {
  const found = new Map<EnvVar, string>();
  for (const variable of env) {
    const from = fileKeyRefOf(variable);
    if (from === undefined) continue;
    const { volumeName, path, key, optional = false } = from;
    const text = await volumes.read(volumeName, path);
    const value = text === undefined ? undefined : envFileValue(text, key, path);
    // As in a kubelet an empty value counts as none.
    if (value) found.set(variable, value);
    else if (!optional) {
      const why = `environment variable key ${JSON.stringify(key)} not found in file ${JSON.stringify(path)} of volume ${JSON.stringify(volumeName)}`;
      throw new PluginError("rejected", why);
    }
  }
  return found;
}

/**
 * The value of `key` in a file of lines `NAME='value'` (Kubernetes 1.35 `pkg/kubelet/util/env`): values are in single
 * quotes, literal, and may have several lines; comments start with `#`; a blank before the quote makes the value empty.
 * `undefined`: it is not there. Throws `PluginError` `rejected` where the file is something else; `path` names it.
 */
export function envFileValue(text: string, key: string, path: string): string | undefined {
  let at = 0;
  const refuse = (why: string): PluginError => {
    const line = text.slice(0, at).split("\n").length;
    const where = `line ${line} of ${JSON.stringify(path)}`;
    return new PluginError("rejected", `invalid environment variable format at ${where}: ${why}`);
  };
  const lineEnd = (from: number): number => {
    const end = text.indexOf("\n", from);
    return end < 0 ? text.length : end;
  };
  while (at < text.length) {
    const end = lineEnd(at);
    const line = text
      .slice(at, end)
      .replace(/\r$/, "")
      .replace(/^[ \t]+/, "");
    if (line === "" || line.startsWith("#")) {
      at = end + 1;
      continue;
    }
    const [, name, rest] = /^([^=]*)=(.*)$/s.exec(line) ?? [];
    if (name === undefined || rest === undefined) throw refuse("missing '='");
    if (name === "") throw refuse("empty variable name");
    if (/[ \t]$/.test(name)) throw refuse("whitespace before '=' is not allowed");
    if (/^[ \t]/.test(rest) || rest === "") {
      if (rest === "") throw refuse("value must be enclosed in single quotes");
      if (name === key) return "";
      at = end + 1;
      continue;
    }
    if (!rest.startsWith("'")) throw refuse("value must be enclosed in single quotes");
    const open = text.indexOf("'", text.indexOf("=", at));
    const close = text.indexOf("'", open + 1);
    if (close < 0) throw refuse("unclosed single quote");
    const after = lineEnd(close);
    if (!/^[ \t]*(?:#.*)?\r?$/.test(text.slice(close + 1, after))) {
      throw refuse("unexpected content after closing quote");
    }
    if (name === key) return text.slice(open + 1, close).replaceAll("\r\n", "\n");
    at = after + 1;
  }
  return undefined;
}
