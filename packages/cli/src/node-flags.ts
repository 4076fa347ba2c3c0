import type { Taint } from "kubernetes-types/core/v1.js";
import { CliError } from "./cli-error.ts";

/** `key=value` pairs of `--label`. */
export function parseLabels(labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    labels.map((label) => {
      const match = /^(?<key>[^=\s]+)=(?<value>[^\s]*)$/.exec(label);
      if (match?.groups === undefined) {
        throw new CliError("usage", `--label "${label}": give key=value.`);
      }
      return [match.groups["key"], match.groups["value"]];
    }),
  );
}

/** `key=value:effect` or `key:effect` of `--taint`, as `kubectl taint` writes them. */
export function parseTaints(taints: readonly string[]): Taint[] {
  return taints.map((taint) => {
    const match =
      /^(?<key>[^=:\s]+)(?:=(?<value>[^:\s]*))?:(?<effect>NoSchedule|PreferNoSchedule|NoExecute)$/.exec(
        taint,
      );
    if (match?.groups === undefined) {
      throw new CliError(
        "usage",
        `--taint "${taint}": give key=value:effect, with the effect NoSchedule, PreferNoSchedule or NoExecute.`,
      );
    }
    const { key = "", value, effect = "" } = match.groups;
    return { key, effect, ...(value === undefined ? {} : { value }) };
  });
}
