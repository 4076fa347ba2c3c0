import { type InterlinkClient, ProtocolError, type StatsAnswer } from "@interlink/protocol";
import type { PluginLine } from "./plugin-line.ts";

/**
 * What the pods of all plugins use. A plugin that does not answer in time is left out, like a pod that is not measured; throws
 * when none answers. What the resources use as a whole is not told: they are several.
 */
export async function combinedStats(
  lines: readonly PluginLine[],
  owns: (line: PluginLine, uid: string) => boolean,
  options: Parameters<InterlinkClient["stats"]>[0] & { timeoutMs: number },
): Promise<StatsAnswer> {
  const answers = await Promise.allSettled(
    lines.map((line) => line.call((client) => client.stats(options))),
  );
  const pods = answers.flatMap((answer, index) => {
    const line = lines[index];
    if (answer.status === "rejected" || line === undefined) return [];
    return answer.value.pods.filter(({ podRef }) => owns(line, podRef.uid));
  });
  const failed = answers.find((answer) => answer.status === "rejected");
  if (failed !== undefined && answers.every(({ status }) => status === "rejected")) {
    throw ProtocolError.from(failed.reason);
  }
  return { pods };
}
