import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createKubeClient, type KubeClient, loadKubeCredentials, paths } from "@interlink/kube";
import type { Node } from "kubernetes-types/core/v1.js";
import type { BenchContext } from "../scenario.ts";
import { cpuUsage, residentKib } from "./proc.ts";
import type { ProcessorShares } from "./processors.ts";
import { Program, type ProgramOptions } from "./program.ts";
import { until } from "./until.ts";

const interlinkMain = fileURLToPath(new URL("../../../packages/cli/dist/main.js", import.meta.url));
const partMain = fileURLToPath(new URL("./part-main.js", import.meta.url));

/** Name of the Node object. */
export const NODE_NAME = "bench";

/** Parts that stand in for a Kubernetes that runs elsewhere. */
const CONTROL_PLANES: ReadonlySet<string> = new Set(["cluster", "kubernetes"]);

/** CPU milliseconds by part. */
export type CpuByPart = Record<string, number>;

/** Options of `node` for a part that can be asked with {@link Parts.collectedMemory}. */
export const MEMORY_REPORTER = [
  "--expose-gc",
  "--import",
  new URL("./memory-reporter.js", import.meta.url).href,
];

/** Bytes. */
export interface CollectedMemory {
  rss: number;
  heapUsed: number;
}

function isMemoryLine(line: string): boolean {
  return line.startsWith('{"level":30,"collected":');
}

export interface ServerPart {
  /** Of one among several. */
  name?: string;
  /** Behind `interlink server`. */
  words?: readonly string[];
  /** Options of `node` itself. */
  node?: readonly string[];
}

/** Parts as processes, started one after another and stopped in the opposite order. */
export class Parts implements AsyncDisposable {
  readonly #context: BenchContext;
  readonly #shares: ProcessorShares | undefined;
  readonly #programs: Program[] = [];

  /** `shares`: who may use which processors. Default: all use all. */
  constructor(context: BenchContext, shares?: ProcessorShares) {
    this.#context = context;
    this.#shares = shares;
  }

  /** `interlink server` in front of a plugin. Resolves with its address. */
  async server(
    plugin: string,
    { name = "server", words = [], node = [] }: ServerPart = {},
  ): Promise<string> {
    const listen = `unix://${join(this.#context.directory, `${name}.sock`)}`;
    const where = ["--plugin", plugin, "--listen", listen];
    await this.#start(name, [...node, interlinkMain, "server", ...where, ...words]);
    return listen;
  }

  /** Asks one that was started with {@link MEMORY_REPORTER} what it keeps when all garbage is collected. */
  async collectedMemory(name: string, signal: AbortSignal): Promise<CollectedMemory> {
    const program = this.#programs.find((one) => one.name === name);
    if (program === undefined) throw new Error(`${name} was never started`);
    const before = (await program.lines(isMemoryLine)).length;
    process.kill(program.pid, "SIGUSR2");
    const line = await until(
      `${name} tells its memory`,
      async () => (await program.lines(isMemoryLine))[before],
      signal,
    );
    return (JSON.parse(line) as { collected: CollectedMemory }).collected;
  }

  /** `interlink plugin process`. Resolves with its address. */
  async processPlugin(): Promise<string> {
    const { directory } = this.#context;
    const listen = `unix://${join(directory, "plugin.sock")}`;
    const root = join(directory, "jobs");
    const args = ["plugin", "process", "--listen", listen, "--root", root];
    await this.#start("plugin", [interlinkMain, ...args]);
    return listen;
  }

  /** `interlink plugin slurm` as `as` says, with its files in `folder`. Resolves with its address. */
  async slurmPlugin(
    config: string,
    folder: string,
    as: NonNullable<ProgramOptions["as"]>,
  ): Promise<string> {
    const listen = `unix://${join(folder, "plugin.sock")}`;
    const where = ["--listen", listen, "--root", join(folder, "root")];
    await this.#start(
      "plugin",
      [interlinkMain, "plugin", "slurm", "--config", config, ...where],
      as,
    );
    return listen;
  }

  /** A plugin that runs nothing. Resolves with its address. */
  async nullPlugin(): Promise<string> {
    const socket = join(this.#context.directory, "plugin.sock");
    await this.#start("plugin", [partMain, "null-plugin", socket]);
    return `unix://${socket}`;
  }

  /** The embedded cluster. Resolves with the kubeconfig file. */
  async cluster(): Promise<string> {
    const directory = join(this.#context.directory, "cluster");
    const { kubeconfig } = await this.#start("cluster", [partMain, "cluster", directory]);
    return String(kubeconfig);
  }

  /** A real control plane. Resolves with the kubeconfig file. */
  async kubernetes(): Promise<string> {
    const directory = join(this.#context.directory, "cluster");
    const { kubeconfig } = await this.#start("kubernetes", [partMain, "kubernetes", directory]);
    return String(kubeconfig);
  }

  /** `interlink node`. */
  async node(kubeconfig: string, site: string): Promise<void> {
    const clientCa = join(this.#context.directory, "cluster", "ca.crt");
    const where = ["--kubeconfig", kubeconfig, "--site", site, "--client-ca", clientCa];
    const args = ["node", "--name", NODE_NAME, "--kubelet-port", "0", ...where];
    await this.#start("node", [interlinkMain, ...args]);
  }

  /** CPU time that each part has used so far, its threads included; `runners`: what the plugin's children used. */
  async cpu(): Promise<CpuByPart> {
    const usage: CpuByPart = {};
    for (const { name, pid } of this.#programs) {
      const { own, children } = await cpuUsage(pid);
      usage[name] = own;
      if (name === "plugin") usage["runners"] = children;
    }
    return usage;
  }

  /** Resident memory of each part, KiB. */
  async memory(): Promise<Record<string, number>> {
    const memory: Record<string, number> = {};
    for (const { name, pid } of this.#programs) memory[name] = await residentKib(pid);
    return memory;
  }

  /** What the parts have complained of in their logs, one sentence per part that has. */
  async problems(): Promise<string[]> {
    const told: string[] = [];
    for (const program of this.#programs) {
      const problems = await program.problems();
      if (problems.length > 0)
        told.push(`${program.name} complains in its log: ${problems.slice(0, 5).join("; ")}`);
    }
    return told;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs.toReversed()) await program[Symbol.asyncDispose]();
  }

  async #start(
    name: string,
    args: readonly string[],
    as?: ProgramOptions["as"],
  ): Promise<Record<string, unknown>> {
    const { directory, cpuProfiles, signal, progress } = this.#context;
    progress(`starting ${name}`);
    if (cpuProfiles !== undefined) await mkdir(cpuProfiles, { recursive: true });
    signal.throwIfAborted();
    const processors = this.#shares?.[CONTROL_PLANES.has(name) ? "controlPlane" : "others"];
    const program = new Program({ name, args, directory, cpuProfiles, processors, as });
    this.#programs.push(program);
    return program.ready(signal);
  }
}

/** A whole system: embedded cluster, virtual node and API server as processes, and the plugin that it is given. */
export interface System extends AsyncDisposable {
  parts: Parts;
  kube: KubeClient;
}

export interface SystemParts {
  /** Where a plugin listens already. Default: the process plugin is started. */
  plugin?: string;
  /** Default: the embedded one. */
  cluster?: "embedded" | "real";
  /** Default: all parts use all processors. */
  shares?: ProcessorShares | undefined;
}

/** Starts a system. Resolves when the node is Ready. */
export async function startSystem(
  context: BenchContext,
  { plugin, cluster = "embedded", shares }: SystemParts = {},
): Promise<System> {
  const { signal, progress } = context;
  const parts = new Parts(context, shares);
  let kube: KubeClient | undefined;
  const dispose = async (): Promise<void> => {
    await kube?.close();
    await parts[Symbol.asyncDispose]();
  };
  try {
    const kubeconfig = await (cluster === "real" ? parts.kubernetes() : parts.cluster());
    const site = await parts.server(plugin ?? (await parts.processPlugin()));
    const credentials = await loadKubeCredentials({ kubeconfigFile: kubeconfig });
    const client = (kube = createKubeClient(credentials, { connections: 32 }));
    await parts.node(kubeconfig, site);
    progress("waiting for the node");
    await until(
      "the virtual node is Ready",
      async () => {
        const { items } = await client.list<Node>(paths.nodes.collection(), { signal });
        return items.some(({ status }) =>
          status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
        );
      },
      signal,
    );
    return { parts, kube: client, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
