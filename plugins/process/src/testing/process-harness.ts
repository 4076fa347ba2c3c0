import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Provider } from "@interlink/plugin-sdk";
import { eventually } from "@interlink/plugin-sdk/testing";
import type {
  LogOptions,
  RemotePodEvent,
  RemotePodStatus,
  RetrievedPodData,
} from "@interlink/protocol";
import { WHOLE_LOG } from "@interlink/protocol";
import type { Container, PodSpec } from "kubernetes-types/core/v1.js";
import { pino } from "pino";
import type { ProcessProviderOptions } from "../process-provider.ts";
import { createProcessProvider } from "../process-provider.ts";

export const silent = pino({ level: "silent" });

/** A pod with these containers that runs them once, unless `spec` says otherwise. */
export function pod(
  uid: string,
  containers: Container[],
  spec: Partial<PodSpec> = {},
): RetrievedPodData {
  const whole: PodSpec = { restartPolicy: "Never", ...spec, containers };
  return {
    pod: { metadata: { uid, name: `pod-${uid.slice(0, 8)}`, namespace: "default" }, spec: whole },
    container: [...(whole.initContainers ?? []), ...containers].map(({ name }) => ({
      name,
      configMaps: [],
      projectedvolumemaps: [],
      secrets: [],
      emptyDirs: [],
    })),
    jobConfig: {} as RetrievedPodData["jobConfig"],
  };
}

/** A container that runs a line of shell. */
export function shell(name: string, line: string, rest: Partial<Container> = {}): Container {
  return { name, image: "ignored", command: ["/bin/sh", "-c", line], ...rest };
}

/** A process plugin in a directory of its own; nothing of it is left when disposed. */
export class ProcessHarness implements AsyncDisposable {
  readonly root: string;
  readonly events: RemotePodEvent[] = [];
  readonly statuses: RemotePodStatus[] = [];
  readonly gone: string[] = [];
  readonly signal = new AbortController().signal;
  provider!: Provider;

  private constructor(root: string) {
    this.root = root;
  }

  static async open(): Promise<ProcessHarness> {
    return new ProcessHarness(await mkdtemp(join(tmpdir(), "interlink-process-")));
  }

  static async start(options: Partial<ProcessProviderOptions> = {}): Promise<ProcessHarness> {
    const harness = await ProcessHarness.open();
    await harness.begin(options);
    return harness;
  }

  async begin(options: Partial<ProcessProviderOptions> = {}): Promise<void> {
    this.provider = createProcessProvider({ root: this.root, logger: silent, ...options });
    this.provider.subscribe?.({
      status: (status) => this.statuses.push(status),
      event: (event) => this.events.push(event),
      gone: ({ UID }) => this.gone.push(UID),
    });
    await this.provider.start?.(this.signal);
  }

  async run(data: RetrievedPodData): Promise<string> {
    const { PodUID } = await this.provider.create(data, this.signal);
    return PodUID;
  }

  async container(uid: string, name: string) {
    const [status] = await this.provider.status([{ metadata: { uid } }], this.signal);
    const all = [...(status?.initContainers ?? []), ...(status?.containers ?? [])];
    return all.find((one) => one.name === name);
  }

  /** How the container ended. */
  async ended(uid: string, name: string) {
    return eventually(`${name} has ended`, async () => {
      const container = await this.container(uid, name);
      return container?.state?.terminated;
    });
  }

  async running(uid: string, name: string) {
    return eventually(`${name} runs`, async () => {
      const container = await this.container(uid, name);
      return container?.state?.running;
    });
  }

  async log(uid: string, name: string, options: Partial<LogOptions> = {}): Promise<string> {
    const chunks: Uint8Array[] = [];
    const request = {
      Namespace: "default",
      PodUID: uid,
      PodName: "",
      ContainerName: name,
      Opts: { ...WHOLE_LOG, ...options },
    };
    for await (const chunk of this.provider.logs(request, this.signal)) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  }

  async logContains(uid: string, name: string, text: string): Promise<string> {
    return eventually(`the log of ${name} has ${text}`, async () => {
      // Before it has started there is no log to read.
      const { state } = (await this.container(uid, name)) ?? {};
      if (state?.running === undefined && state?.terminated === undefined) return false;
      const log = await this.log(uid, name);
      return log.includes(text) && log;
    });
  }

  async delete(data: RetrievedPodData, graceSeconds?: number): Promise<void> {
    const metadata = {
      ...data.pod.metadata,
      ...(graceSeconds !== undefined && { deletionGracePeriodSeconds: graceSeconds }),
    };
    await this.provider.delete({ ...data.pod, metadata }, this.signal);
  }

  async isGone(uid: string): Promise<void> {
    await eventually("the pod is gone", () => this.gone.includes(uid));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.provider?.close?.();
    await killContainersOf(this.root);
    await rm(this.root, { recursive: true, force: true });
  }
}

/** Whether this host lets the plugin mount volumes; where it does not, they are linked. */
export async function hostCanMount(): Promise<boolean> {
  await using harness = await ProcessHarness.start();
  const volumeMounts = [{ name: "shared", mountPath: "/interlink-test" }];
  const volumes = [{ name: "shared", emptyDir: {} }];
  const main = shell("main", "ls /interlink-test", { volumeMounts });
  const uid = await harness.run(pod(randomUUID(), [main], { volumes }));
  return (await harness.ended(uid, "main")).exitCode === 0;
}

/** Processes whose environment or command names something below `root`. */
export async function processesOf(root: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    for (const file of ["environ", "cmdline"]) {
      const text = await readFile(`/proc/${name}/${file}`, "utf8").catch(() => "");
      if (text.includes(root)) found.push(Number(name));
    }
  }
  return [...new Set(found)];
}

async function killContainersOf(root: string): Promise<void> {
  for (const pid of await processesOf(root)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}
