import { readFile, statfs } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import type { RuntimeStats } from "@interlink/plugin-sdk";
import type { CpuStats, MemoryStats } from "@interlink/protocol";
import type { ProcessContainer } from "./process-container.ts";
import type { ProcessTable } from "./process-table.ts";

/** USER_HZ, the unit of times in /proc, is 100 on every Linux that Node runs on. */
const NANOSECONDS_PER_TICK = 1e9 / 100;
/** A rate over less than this says more about the moment of asking than about the container. */
const SHORTEST_RATE_MS = 1_000;

/** What was measured last, for the rate. Times in milliseconds since the epoch. */
interface Sample {
  at: number;
  coreNanoSeconds: number;
  nanoCores?: number;
}

/** What containers and this host use, from /proc. */
export class Usage {
  readonly #table: ProcessTable;
  readonly #root: string;
  readonly #now: () => number;
  readonly #samples = new WeakMap<object, Sample>();

  /** `root`: a directory on the file system that counts as the node's. */
  constructor(table: ProcessTable, { root, now = Date.now }: { root: string; now?: () => number }) {
    this.#table = table;
    this.#root = root;
    this.#now = now;
  }

  async measure(containers: readonly ProcessContainer[]): Promise<RuntimeStats> {
    const snapshot = await this.#table.snapshot();
    const measured = await Promise.all(
      containers.map(async (container): Promise<RuntimeStats["containers"]> => {
        const observed = await container.observe();
        if (observed.state !== "running") return [];
        const processes = await container.processesIn(snapshot);
        const used = (await Promise.all(processes.map(({ pid }) => usageOf(pid)))).filter(
          (one) => one !== undefined,
        );
        const startTime = await container.startTime();
        if (used.length === 0 || startTime === undefined) return [];
        const at = this.#now();
        const rssBytes = sum(used.map((one) => one.rssBytes));
        const time = new Date(at).toISOString();
        const memory: MemoryStats = { time, rssBytes, workingSetBytes: rssBytes };
        const coreNanoSeconds = sum(used.map((one) => one.coreNanoSeconds));
        const cpu = this.#cpu(container, at, coreNanoSeconds);
        const { uid, container: containerName } = container.info;
        return [
          {
            uid,
            containerName,
            startTime,
            ...(coreNanoSeconds > 0 && { cpu }),
            ...(rssBytes > 0 && { memory }),
          },
        ];
      }),
    );
    return { node: await this.#node(), containers: measured.flat() };
  }

  /** What processes that have gone used is no longer to be seen; the sum still never falls. */
  #cpu(of: object, at: number, seen: number): CpuStats {
    const before = this.#samples.get(of);
    const coreNanoSeconds = Math.max(seen, before?.coreNanoSeconds ?? 0);
    const elapsedMs = before === undefined ? 0 : at - before.at;
    let nanoCores = before?.nanoCores;
    if (before === undefined || elapsedMs >= SHORTEST_RATE_MS || elapsedMs < 0) {
      if (before !== undefined && elapsedMs > 0) {
        const used = coreNanoSeconds - before.coreNanoSeconds;
        nanoCores = Math.round((used / elapsedMs) * 1000);
      }
      this.#samples.set(of, {
        at,
        coreNanoSeconds,
        ...(nanoCores !== undefined && { nanoCores }),
      });
    }
    return {
      time: new Date(at).toISOString(),
      ...(coreNanoSeconds > 0 && { usageCoreNanoSeconds: coreNanoSeconds }),
      ...(nanoCores !== undefined && nanoCores > 0 && { usageNanoCores: nanoCores }),
    };
  }

  async #node(): Promise<NonNullable<RuntimeStats["node"]>> {
    const at = this.#now();
    const time = new Date(at).toISOString();
    const busyMs = sum(cpus().map(({ times }) => times.user + times.nice + times.sys + times.irq));
    const meminfo = await readFile("/proc/meminfo", "utf8");
    const availableKiB = Number(/^MemAvailable:\s+(\d+) kB/m.exec(meminfo)?.[1]);
    const files = await statfs(this.#root);
    const capacityBytes = files.blocks * files.bsize;
    return {
      cpu: this.#cpu(this, at, busyMs * 1e6),
      ...(Number.isFinite(availableKiB) && {
        memory: {
          time,
          availableBytes: availableKiB * 1024,
          workingSetBytes: totalmem() - availableKiB * 1024,
        },
      }),
      fs: {
        time,
        capacityBytes,
        availableBytes: files.bavail * files.bsize,
        usedBytes: capacityBytes - files.bfree * files.bsize,
      },
    };
  }
}

interface ProcessUsage {
  coreNanoSeconds: number;
  rssBytes: number;
}

/** With what its children used that it has waited for. `undefined`: it has gone. */
async function usageOf(pid: number): Promise<ProcessUsage | undefined> {
  let stat: string;
  let status: string;
  let schedule: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, "latin1");
    status = await readFile(`/proc/${pid}/status`, "latin1");
    schedule = await readFile(`/proc/${pid}/schedstat`, "latin1").catch(() => "");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
  // utime, stime, cutime, cstime: fields 14 to 17 of proc(5), counted on from the third.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = sum(fields.slice(11, 15).map(Number));
  const rssKiB = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
  // The first thread in nanoseconds, for a process that has not used a tick yet; some kernels do not have it.
  const fine = Number(/^\d+/.exec(schedule)?.[0] ?? 0);
  const coreNanoSeconds = Math.max(ticks * NANOSECONDS_PER_TICK, fine);
  return { coreNanoSeconds, rssBytes: rssKiB * 1024 };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
