import { SlurmOutputError } from "./slurm-output-error.ts";

/** One node in one partition, as sinfo tells it. */
export interface ClusterNode {
  node: string;
  partition: string;
  /** The partition takes jobs. */
  isUp: boolean;
  /** Jobs can run there, now or when others have ended. */
  isUsable: boolean;
  cpus: number;
  /** MiB. */
  memory: number;
  /** Generic resources by name without type, e.g. `gpu`. */
  gres: ReadonlyMap<string, number>;
}

/** Letters that every sinfo knows. */
export const NODE_ARGUMENTS: readonly string[] = [
  "--noheader",
  "--Node",
  "--format=%N|%R|%a|%T|%c|%m|%G",
];

/** States whose nodes run jobs, without the marks behind them (sinfo manual, "Node state codes"). */
const USABLE = /^(?:allocated|alloc|completing|comp|idle|mixed|mix|planned|plnd|reserved|resv)$/;

/** Reads what sinfo wrote for {@link NODE_ARGUMENTS}. Throws {@link SlurmOutputError}. */
export function parseNodes(output: string): ClusterNode[] {
  return output
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [node = "", partition = "", up = "", state = "", cpus = "", memory = "", gres = ""] =
        line.split("|").map((part) => part.trim());
      if (node === "" || !/^\d+\+?$/.test(cpus) || !/^\d+\+?$/.test(memory)) {
        throw new SlurmOutputError("sinfo", "a node that cannot be read", line);
      }
      return {
        node,
        partition,
        isUp: up === "up",
        isUsable: isUsable(state),
        cpus: Number.parseInt(cpus, 10),
        memory: Number.parseInt(memory, 10),
        gres: parseGres(gres),
      };
    });
}

/** `*`: does not answer. `~ # % @ ^ !`: sleeps, wakes or restarts, and comes when needed. `$`: maintenance. */
function isUsable(state: string): boolean {
  const [, name = "", marks = ""] = /^([a-z_]+)(.*)$/.exec(state.toLowerCase()) ?? [];
  return USABLE.test(name) && !/[*$]/.test(marks);
}

/** `gpu:a100:2(S:0-1),shard:8` as counts by name. */
export function parseGres(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const part of text.replaceAll(/\([^)]*\)/g, "").split(",")) {
    const [name = "", ...rest] = part.split(":");
    if (name === "" || name === "N/A") continue;
    const last = rest.at(-1);
    const [, digits, unit = ""] = /^(\d+)([KMGT]?)$/.exec(last ?? "1") ?? [];
    const count = digits === undefined ? 1 : Number(digits) * 1024 ** " KMGT".indexOf(unit || " ");
    counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return counts;
}

/** What a set of nodes has together. */
export interface ClusterCapacity {
  cpus: number;
  /** MiB. */
  memory: number;
  gres: ReadonlyMap<string, number>;
  /** Partitions in which no job can start now. */
  closed: readonly string[];
  /** No partition takes jobs. */
  isClosed: boolean;
}

/** Usable nodes of these partitions, each counted once; `undefined`: all partitions. */
export function clusterCapacity(
  nodes: readonly ClusterNode[],
  partitions?: readonly string[],
): ClusterCapacity {
  const asked = nodes.filter(({ partition }) => partitions?.includes(partition) ?? true);
  const open = asked.filter(({ isUp, isUsable }) => isUp && isUsable);
  const names = partitions ?? [...new Set(asked.map(({ partition }) => partition))];
  const closed = names.filter((name) => open.every(({ partition }) => partition !== name));
  const gres = new Map<string, number>();
  let cpus = 0;
  let memory = 0;
  for (const node of new Map(open.map((one) => [one.node, one])).values()) {
    cpus += node.cpus;
    memory += node.memory;
    for (const [name, count] of node.gres) gres.set(name, (gres.get(name) ?? 0) + count);
  }
  return { cpus, memory, gres, closed, isClosed: open.length === 0 };
}
