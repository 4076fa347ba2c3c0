import type { PingAnswer } from "@interlink/protocol";
import { readPingAnswer } from "@interlink/protocol";
import { SlurmError } from "../commands/slurm-error.ts";
import type { SlurmSettings } from "../config/slurm-config.ts";
import { type ClusterNode, clusterCapacity } from "../slurm/cluster-nodes.ts";

type Taints = NonNullable<PingAnswer["taints"]>;

/**
 * What the virtual node offers: the usable nodes of the site's partitions as a whole, as Kubernetes itself takes off what
 * its pods ask for. A partition in which nothing can start is a taint that says so; none at all keeps pods away.
 */
export function capacityAnswer(
  nodes: readonly ClusterNode[],
  settings: Pick<SlurmSettings, "partitions" | "gres" | "pods" | "taints">,
): PingAnswer {
  const { cpus, memory, gres, closed, isClosed } = clusterCapacity(nodes, settings.partitions);
  const accelerators = [...settings.gres].flatMap(([resourceType, name]) => {
    const count = gres.get(name.split(":")[0] ?? "") ?? 0;
    const isFirst =
      [...settings.gres].find(([, other]) => other.split(":")[0] === name.split(":")[0])?.[0] ===
      resourceType;
    // GPUs of which nobody says whose they are count once.
    return count > 0 && isFirst ? [{ resourceType, available: String(count) }] : [];
  });
  return {
    status: "ok",
    resources: {
      cpu: String(cpus),
      memory: `${memory}Mi`,
      ...(settings.pods !== undefined && { pods: String(settings.pods) }),
      ...(accelerators.length > 0 && { accelerators }),
    },
    taints: [...(settings.taints ?? []), ...partitionTaints(closed, isClosed)],
  };
}

function partitionTaints(closed: readonly string[], isClosed: boolean): Taints {
  if (isClosed) {
    return [{ key: "slurm.interlink.eu/closed", value: "all-partitions", effect: "NoSchedule" }];
  }
  return closed.map((partition) => ({
    key: `slurm.interlink.eu/closed-${partition.replaceAll(/[^A-Za-z0-9_.-]/g, "-").slice(0, 56)}`,
    effect: "PreferNoSchedule",
  }));
}

/** The answer of a site's own program; taints of the configuration stand above its own. Throws for what is none. */
export function scriptAnswer(output: string, settings: Pick<SlurmSettings, "taints">): PingAnswer {
  const answer = readPingAnswer(output);
  if (answer === undefined) {
    throw new SlurmError(
      "unavailable",
      "The program ResourceScriptPath wrote no JSON of capacity.",
    );
  }
  return {
    status: "ok",
    ...answer,
    ...(settings.taints !== undefined && { taints: [...settings.taints] }),
  };
}
