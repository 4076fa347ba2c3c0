import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DockerRuntime,
  type DockerRuntimeOptions,
  EngineClient,
  parseDockerHost,
} from "@interlink/plugin-docker";
import type {
  ContainerHandle,
  ContainerSpec,
  ObservedContainer,
  RuntimeLogOptions,
} from "@interlink/plugin-sdk";
import type { Container, Pod, PodSpec } from "kubernetes-types/core/v1.js";
import pino from "pino";
import { BUSYBOX } from "../systems/images.ts";
import { waitUntil } from "../systems/wait-until.ts";

/** A runtime on the real engine, with helpers to run single containers; disposing it removes what it has made. */
export class RuntimeFixture implements AsyncDisposable {
  readonly runtime: DockerRuntime;
  readonly engine: EngineClient;
  readonly plugin: string;
  readonly signal: AbortSignal = new AbortController().signal;
  readonly folder: string;
  readonly #uids = new Set<string>();

  private constructor(
    host: string,
    folder: string,
    plugin: string,
    more: Partial<DockerRuntimeOptions>,
  ) {
    this.folder = folder;
    this.plugin = plugin;
    this.engine = new EngineClient(parseDockerHost(host));
    this.runtime = new DockerRuntime({
      engine: new EngineClient(parseDockerHost(host)),
      logger: pino({ level: "silent" }),
      plugin,
      ...more,
    });
  }

  static async open(
    host: string,
    plugin = `test-${randomUUID()}`,
    more: Partial<DockerRuntimeOptions> = {},
  ): Promise<RuntimeFixture> {
    const folder = await mkdtemp(join(tmpdir(), "interlink-docker-"));
    const fixture = new RuntimeFixture(host, folder, plugin, more);
    await fixture.runtime.start(fixture.signal);
    return fixture;
  }

  /** A pod whose sandbox is ready. */
  async pod(containers: Container[], spec: Partial<PodSpec> = {}): Promise<Pod> {
    const uid = randomUUID();
    const pod: Pod = {
      metadata: { name: `pod-${uid.slice(0, 8)}`, namespace: "default", uid },
      spec: { containers, ...spec },
    };
    this.#uids.add(uid);
    await this.runtime.ensureSandbox({ pod, directory: this.folder }, this.signal);
    return pod;
  }

  /** Makes one attempt of a container of the pod, without starting it. */
  async create(
    pod: Pod,
    container: Container,
    more: Partial<ContainerSpec> = {},
  ): Promise<ContainerHandle> {
    const { imageID } = await this.runtime.ensureImage(
      {
        uid: pod.metadata?.uid ?? "",
        image: container.image ?? BUSYBOX,
        pullPolicy: "IfNotPresent",
        pullSecrets: [],
      },
      this.signal,
    );
    const directory = join(this.folder, randomUUID());
    await mkdir(directory, { mode: 0o700 });
    const terminationMessageFile = join(directory, "termination-log");
    await writeFile(terminationMessageFile, "", { mode: 0o666 });
    return this.runtime.createContainer(
      {
        pod,
        kind: "regular",
        container,
        attempt: 0,
        imageID,
        ...(container.command && { command: container.command }),
        ...(container.args && { args: container.args }),
        env: (container.env ?? []).map(({ name, value = "" }) => ({ name, value })),
        mounts: [],
        terminationMessageFile,
        directory,
        logFile: join(directory, "log"),
        ...more,
      },
      this.signal,
    );
  }

  async start(
    pod: Pod,
    container: Container,
    more: Partial<ContainerSpec> = {},
  ): Promise<ContainerHandle> {
    const handle = await this.create(pod, container, more);
    await this.runtime.startContainer(handle, this.signal);
    return handle;
  }

  /** Runs one container in a pod of its own to its end. */
  async run(
    container: Omit<Container, "name">,
    more: Partial<ContainerSpec> = {},
    spec: Partial<PodSpec> = {},
  ): Promise<{ ended: ObservedContainer; log: string; handle: ContainerHandle; pod: Pod }> {
    const named = { ...container, name: "main" };
    const pod = await this.pod([named], spec);
    const handle = await this.start(pod, named, more);
    const ended = await this.ended(handle);
    return { ended, log: await this.log(handle), handle, pod };
  }

  async find(handle: ContainerHandle): Promise<ObservedContainer | undefined> {
    const all = await this.runtime.list(this.signal, new Set([handle.uid]));
    return all.find(({ id }) => id === handle.id);
  }

  async ended(handle: ContainerHandle): Promise<ObservedContainer> {
    return waitUntil(`${handle.containerName} has ended`, async () => {
      const found = await this.find(handle);
      return found?.state === "exited" ? found : undefined;
    });
  }

  async log(handle: ContainerHandle, options: Partial<RuntimeLogOptions> = {}): Promise<string> {
    const chunks: Uint8Array[] = [];
    const all = { follow: false, timestamps: false, ...options };
    for await (const chunk of this.runtime.logs(handle, all, this.signal)) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  }

  async logHas(handle: ContainerHandle, text: string): Promise<void> {
    await waitUntil(`the log has ${JSON.stringify(text)}`, async () =>
      (await this.log(handle)).includes(text),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const uid of this.#uids) await this.runtime.removeSandbox(uid, this.signal);
    await this.runtime.close();
    await this.engine[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}
