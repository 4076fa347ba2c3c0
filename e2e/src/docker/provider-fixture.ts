import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createDockerProvider,
  type DockerProviderOptions,
  EngineClient,
  parseDockerHost,
} from "@interlink/plugin-docker";
import type { Provider } from "@interlink/plugin-sdk";
import type { RemotePodEvent, RemotePodStatus, RetrievedPodData } from "@interlink/protocol";
import { WHOLE_LOG } from "@interlink/protocol";
import type { ContainerStatus, PodSpec } from "kubernetes-types/core/v1.js";
import pino from "pino";
import { mountSmall } from "../systems/small-disk.ts";
import { unmountBelow } from "../systems/unmount.ts";
import { waitUntil } from "../systems/wait-until.ts";

/** The whole Docker plugin, without its HTTP, on the real engine. Disposing it removes its pods. */
export class ProviderFixture implements AsyncDisposable {
  readonly folder: string;
  readonly plugin: string;
  readonly host: string;
  readonly engine: EngineClient;
  readonly events: RemotePodEvent[] = [];
  readonly gone: string[] = [];
  readonly signal: AbortSignal = new AbortController().signal;
  readonly #uids = new Set<string>();
  provider!: Provider;

  readonly #more: Partial<DockerProviderOptions>;

  private constructor(host: string, folder: string, more: Partial<DockerProviderOptions>) {
    this.#more = more;
    this.host = host;
    this.folder = folder;
    this.plugin = `test-${randomUUID()}`;
    this.engine = new EngineClient(parseDockerHost(host, process.env));
  }

  static async open(
    host: string,
    more: Partial<DockerProviderOptions> = {},
    /** A file system of its own for the plugin's directory, of so many bytes. */
    rootSize?: string,
  ): Promise<ProviderFixture> {
    const folder = await mkdtemp(join(tmpdir(), "interlink-docker-provider-"));
    const fixture = new ProviderFixture(host, folder, more);
    if (rootSize !== undefined) await mountSmall(fixture.options().root, rootSize);
    await fixture.start();
    return fixture;
  }

  /** What another process needs to be this plugin. */
  options(): Pick<DockerProviderOptions, "root" | "dockerHost" | "plugin" | "hostPaths"> & object {
    return {
      // Not below the folder, which is open to pods.
      root: `${this.folder}-root`,
      dockerHost: this.host,
      plugin: this.plugin,
      hostPaths: [this.folder],
    };
  }

  /** A new life of the plugin. */
  async start(): Promise<void> {
    this.provider = createDockerProvider({
      ...this.options(),
      logger: pino({ level: process.env.LOG_LEVEL ?? "silent" }),
      hostIP: "192.0.2.1",
      ...this.#more,
    });
    this.provider.subscribe?.({
      status: () => undefined,
      gone: ({ UID }) => this.gone.push(UID),
      event: (event) => this.events.push(event),
    });
    await this.provider.start?.(this.signal);
  }

  async stop(): Promise<void> {
    await this.provider.close?.();
  }

  /** A pod as it arrives at a plugin. */
  data(
    spec: PodSpec,
    objects: Partial<Pick<RetrievedPodData["container"][number], "configMaps" | "secrets">> = {},
  ): RetrievedPodData {
    const uid = randomUUID();
    this.#uids.add(uid);
    return {
      pod: {
        metadata: { name: `pod-${uid.slice(0, 8)}`, namespace: "default", uid },
        spec: { restartPolicy: "Never", terminationGracePeriodSeconds: 30, ...spec },
      },
      container: [...(spec.initContainers ?? []), ...spec.containers].map(({ name }) => ({
        name,
        configMaps: [],
        projectedvolumemaps: [],
        secrets: [],
        emptyDirs: [],
        ...objects,
      })),
      jobConfig: {} as RetrievedPodData["jobConfig"],
    };
  }

  async create(...args: Parameters<ProviderFixture["data"]>): Promise<RetrievedPodData> {
    const data = this.data(...args);
    await this.provider.create(data, this.signal);
    return data;
  }

  async status(data: RetrievedPodData): Promise<RemotePodStatus | undefined> {
    const [status] = await this.provider.status([data.pod], this.signal);
    return status;
  }

  async container(data: RetrievedPodData, name: string): Promise<ContainerStatus | undefined> {
    const status = await this.status(data);
    const all = [...(status?.initContainers ?? []), ...(status?.containers ?? [])];
    return all.find((one) => one.name === name);
  }

  /** Until the container is as wanted. */
  async containerWhere(
    data: RetrievedPodData,
    name: string,
    isWanted: (status: ContainerStatus) => boolean | undefined,
  ): Promise<ContainerStatus> {
    return waitUntil(`container ${name} is as wanted`, async () => {
      const found = await this.container(data, name);
      return found !== undefined && isWanted(found) === true && found;
    });
  }

  /** Until the container has ended for good. */
  async ended(data: RetrievedPodData, name = "main"): Promise<ContainerStatus> {
    return waitUntil(`container ${name} has ended`, async () => {
      const found = await this.container(data, name);
      return found?.state?.terminated === undefined ? undefined : found;
    });
  }

  async running(data: RetrievedPodData, name = "main"): Promise<void> {
    await waitUntil(`container ${name} runs`, async () =>
      Boolean((await this.container(data, name))?.state?.running),
    );
  }

  async log(data: RetrievedPodData, container = "main", previous = false): Promise<string> {
    const { uid = "", name = "", namespace = "" } = data.pod.metadata ?? {};
    const request = {
      Namespace: namespace,
      PodUID: uid,
      PodName: name,
      ContainerName: container,
      Opts: { ...WHOLE_LOG, Previous: previous },
    };
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.provider.logs(request, this.signal)) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  }

  /** Deletes the pod and waits until nothing of it is left. */
  async remove(data: RetrievedPodData, graceSeconds?: number): Promise<void> {
    await this.provider.delete(withGrace(data, graceSeconds), this.signal);
    await this.absent(data);
  }

  async absent(data: RetrievedPodData): Promise<void> {
    await waitUntil("the pod is gone", async () => {
      const status = await this.status(data);
      return status === undefined || status.extension?.gone === true;
    });
    if ((await this.inEngine(data)).length > 0) throw new Error("The engine still has the pod.");
  }

  /** Ids of all that the engine has of the pod. */
  async inEngine(data: RetrievedPodData): Promise<string[]> {
    const filters = { label: [`interlink.pod.uid=${data.pod.metadata?.uid}`] };
    const found = await this.engine.json<{ Id: string }[]>({
      method: "GET",
      path: "/containers/json",
      query: { all: true, filters },
      signal: this.signal,
    });
    return found.map(({ Id }) => Id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const uid of this.#uids) {
      await this.provider.delete({ metadata: { uid, deletionGracePeriodSeconds: 0 } }, this.signal);
    }
    await waitUntil("all pods are gone", async () => {
      const left = await this.provider.status("all", this.signal);
      return left.length === 0;
    });
    await this.stop();
    await this.engine[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
    await unmountBelow(`${this.folder}-root`);
    await rm(`${this.folder}-root`, { recursive: true, force: true });
  }
}

export function withGrace(data: RetrievedPodData, seconds?: number): RetrievedPodData["pod"] {
  if (seconds === undefined) return data.pod;
  return { ...data.pod, metadata: { ...data.pod.metadata, deletionGracePeriodSeconds: seconds } };
}
