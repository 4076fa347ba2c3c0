import { randomUUID } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Provider } from "@interlink/plugin-sdk";
import { createSlurmProvider, readSlurmConfig } from "@interlink/plugin-slurm";
import type { RemotePodEvent, RemotePodStatus, RetrievedPodData } from "@interlink/protocol";
import { emptyJobConfig, WHOLE_LOG } from "@interlink/protocol";
import type { Container, ContainerState, PodSpec } from "kubernetes-types/core/v1.js";
import pino from "pino";
import type { ApptainerSystem } from "../systems/apptainer-system.ts";
import type { OrdinaryUser } from "../systems/ordinary-user.ts";
import { publicFolder } from "../systems/public-folder.ts";
import { mountSmall } from "../systems/small-disk.ts";
import { unmountBelow } from "../systems/unmount.ts";
import { waitUntil } from "../systems/wait-until.ts";

export interface SiteProviderOptions {
  /** For `SLURM_CONF`. */
  conf: string;
  apptainer: ApptainerSystem;
  /** As whom jobs run that ask for no one. */
  user: OrdinaryUser;
  /** Where Slurm's programs are; default: on the `PATH`. */
  program?: (name: string) => string;
  /** As in the plugin's configuration file. */
  settings?: Record<string, unknown>;
  /** Of the plugin's directory; default: `root`. */
  rootName?: string;
  /** The plugin's directory is a file system of this size, e.g. `4m`; without, it is one with the machine's. */
  rootSize?: string;
}

/** What a test asks of a pod beside its first container's command. */
export interface SitePodOptions {
  spec?: Partial<PodSpec>;
  container?: Partial<Container>;
  annotations?: Record<string, string>;
  namespace?: string;
  data?: Partial<RetrievedPodData>;
}

/** The plugin in this process, as root; its jobs are the ordinary user's. Without Kubernetes, as that has its own tests. */
export class SiteProvider implements AsyncDisposable {
  readonly folder: string;
  readonly events: RemotePodEvent[] = [];
  readonly #options: SiteProviderOptions;
  readonly #signal = new AbortController().signal;
  #provider: Provider | undefined;

  constructor(options: SiteProviderOptions) {
    this.#options = options;
    const below = publicFolder("providers");
    this.folder = mkdtempSync(join(below, "site-"));
    chmodSync(this.folder, 0o755);
  }

  get provider(): Provider {
    if (this.#provider === undefined) throw new Error("It was not started");
    return this.#provider;
  }

  get root(): string {
    return join(this.folder, this.#options.rootName ?? "root");
  }

  /** A new life, with other settings on top if need be. */
  async start(more: Record<string, unknown> = {}): Promise<void> {
    const { conf, apptainer, user, program, settings, rootSize } = this.#options;
    if (rootSize !== undefined && !existsSync(this.root)) await mountSmall(this.root, rootSize);
    mkdirSync(this.root, { recursive: true, mode: 0o755 });
    const paths = ["Sbatch", "Squeue", "Scancel", "Scontrol", "Sinfo", "Sacct", "Srun"];
    const file = {
      ContainerRuntime: "apptainer",
      SingularityPath: apptainer.path,
      PollSeconds: 1,
      DefaultUID: user.uid,
      ...(program &&
        Object.fromEntries(paths.map((name) => [`${name}Path`, program(name.toLowerCase())]))),
      ...settings,
      ...more,
    };
    const provider = createSlurmProvider({
      root: this.root,
      settings: readSlurmConfig({
        file: { name: "settings", text: JSON.stringify(file) },
        env: {},
      }).options,
      logger: pino({ level: process.env["LOG_LEVEL"] ?? "silent" }),
      env: { PATH: process.env["PATH"], SLURM_CONF: conf, LC_ALL: "C.UTF-8" },
      recordsMs: 200,
    });
    provider.subscribe?.({
      status: () => undefined,
      gone: () => undefined,
      event: (event) => this.events.push(event),
    });
    await provider.start?.(this.#signal);
    this.#provider = provider;
  }

  /** As when the plugin is stopped; its jobs run on. */
  async close(): Promise<void> {
    await this.#provider?.close?.();
    this.#provider = undefined;
  }

  /** Hands over a pod of one container, `main`, that runs a line of shell. */
  async create(command: string, options: SitePodOptions = {}): Promise<RetrievedPodData> {
    const made = this.pod(command, options);
    await this.provider.create(made, this.#signal);
    return made;
  }

  pod(command: string, options: SitePodOptions = {}): RetrievedPodData {
    const { spec, container, annotations, namespace = "default", data } = options;
    const uid = randomUUID();
    const containers: Container[] = [
      {
        name: "main",
        image: this.#options.apptainer.image,
        command: ["sh", "-c", command],
        ...container,
      },
    ];
    const name = `pod-${uid.slice(0, 8)}`;
    return {
      pod: {
        metadata: { uid, name, namespace, ...(annotations && { annotations }) },
        spec: { restartPolicy: "Never", terminationGracePeriodSeconds: 2, containers, ...spec },
      },
      container: containers.map((one) => ({
        name: one.name,
        configMaps: [],
        projectedvolumemaps: [],
        secrets: [],
        emptyDirs: [],
      })),
      jobConfig: emptyJobConfig(),
      ...data,
    };
  }

  async status({ pod }: RetrievedPodData): Promise<RemotePodStatus | undefined> {
    return (await this.provider.status([pod], this.#signal))[0];
  }

  /** Id of the pod's job. */
  async job(data: RetrievedPodData): Promise<string> {
    return (await this.status(data))?.JID ?? "";
  }

  /** Of the first container, once it is there. */
  async until<K extends keyof ContainerState>(
    data: RetrievedPodData,
    state: K,
    milliseconds?: number,
  ): Promise<NonNullable<ContainerState[K]>> {
    return this.#told(data, `main is ${state}`, milliseconds, (status) => {
      return status?.containers[0]?.state?.[state] ?? undefined;
    }) as Promise<NonNullable<ContainerState[K]>>;
  }

  /** Until Slurm's end of the job is taken in as well. */
  async failed(data: RetrievedPodData): Promise<{ reason: string; message: string }> {
    return this.#told(data, "the pod has failed", 90_000, (status) => status?.extension?.failed);
  }

  #told<T>(
    data: RetrievedPodData,
    what: string,
    milliseconds: number | undefined,
    pick: (status: RemotePodStatus | undefined) => T | undefined,
  ): Promise<T> {
    const ask = async (): Promise<T> => {
      const status = await this.status(data);
      const picked = pick(status);
      if (picked === undefined) throw new Error(JSON.stringify(status));
      return picked;
    };
    return waitUntil(what, ask, milliseconds);
  }

  async log(data: RetrievedPodData, container = "main"): Promise<string> {
    const pieces: Uint8Array[] = [];
    const { uid = "", name = "", namespace = "" } = data.pod.metadata ?? {};
    const request = { PodUID: uid, PodName: name, Namespace: namespace, ContainerName: container };
    const all = this.provider.logs({ ...request, Opts: WHOLE_LOG }, this.#signal);
    for await (const piece of all) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  }

  /** Until nothing of it is left. */
  async delete({ pod }: Pick<RetrievedPodData, "pod">): Promise<void> {
    await this.provider.delete(pod, this.#signal);
    await waitUntil(
      "the pod is gone",
      async () =>
        (await this.provider.status("all", this.#signal)).every(
          ({ UID }) => UID !== pod.metadata?.uid,
        ),
      90_000,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const left = (await this.#provider?.status("all", this.#signal)) ?? [];
    await Promise.all(
      left.map(({ UID: uid, name, namespace }) =>
        this.delete({ pod: { metadata: { uid, name, namespace } } }),
      ),
    );
    await this.close();
    await unmountBelow(this.folder);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A program that users of this machine may run. */
export function writeProgram(file: string, text: string): void {
  writeFileSync(file, text);
  chmodSync(file, 0o755);
}
