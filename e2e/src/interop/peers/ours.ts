import { createInterlinkSite } from "@interlink/node";
import { type Provider, type RunningPlugin, servePlugin } from "@interlink/plugin-sdk";
import {
  createInterlinkClient,
  type Feature,
  type LogRequest,
  type PodCreateRequest,
  ProtocolError,
  type RemotePodStatus,
  type RetrievedPodData,
  writeLogRequest,
} from "@interlink/protocol";
import { startServer } from "@interlink/server";
import type { Pod } from "kubernetes-types/core/v1.js";
import { pino } from "pino";
import { type ExistingPod, phaseOf } from "./existing-node.ts";
import type { JobState } from "./existing-plugins.ts";
import { type GoPodStatus, podStatuses } from "./go-decode.ts";

const logger = pino({ level: "silent" });

/** Our API server in front of a plugin. */
export function ourServer(plugin: string, options: object = {}) {
  return startServer({
    listen: { host: "127.0.0.1", port: 0 },
    plugin: { address: plugin },
    logger,
    ...options,
  });
}

/** A plugin by our SDK that runs nothing: what becomes of a job is what the test says. */
export class OurPlugin implements Provider, AsyncDisposable {
  readonly name = "ours";
  readonly features: readonly Feature[] = [];
  readonly jobs = new Map<string, { data: RetrievedPodData; state: JobState; log: string }>();
  creates = 0;
  #running: RunningPlugin | undefined;

  get address(): string {
    return this.#running?.address ?? "";
  }

  async listen(): Promise<this> {
    this.#running = await servePlugin(this, { listen: { host: "127.0.0.1", port: 0 }, logger });
    return this;
  }

  async create(data: RetrievedPodData) {
    const uid = data.pod.metadata?.uid ?? "";
    this.creates += 1;
    if (!this.jobs.has(uid)) this.jobs.set(uid, { data, state: "waiting", log: "" });
    return { PodUID: uid, PodJID: "17" };
  }

  async delete({ metadata }: Pod): Promise<void> {
    this.jobs.delete(metadata?.uid ?? "");
  }

  async status(pods: readonly Pod[] | "all"): Promise<RemotePodStatus[]> {
    const asked = pods === "all" ? [...this.jobs.values()].map(({ data }) => data.pod) : pods;
    return asked.flatMap(({ metadata }) => {
      const job = this.jobs.get(metadata?.uid ?? "");
      return job === undefined ? [] : [statusOf(job.data.pod, job.state)];
    });
  }

  async *logs({ PodUID }: LogRequest): AsyncIterable<Uint8Array> {
    yield Buffer.from(this.jobs.get(PodUID)?.log ?? "");
  }

  job(uid: string) {
    const job = this.jobs.get(uid);
    if (job === undefined) throw new Error(`the plugin has no job of ${uid}`);
    return job;
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.close();
  }
}

function statusOf({ metadata, spec }: Pod, state: JobState): RemotePodStatus {
  const at = "2026-01-05T10:00:00Z";
  return {
    name: metadata?.name ?? "",
    UID: metadata?.uid ?? "",
    namespace: metadata?.namespace ?? "",
    JID: "17",
    containers: (spec?.containers ?? []).map(({ name, image = "" }) => ({
      name,
      image,
      imageID: "",
      ready: state === "running",
      restartCount: 0,
      state:
        state === "waiting"
          ? { waiting: { reason: "Queued" } }
          : state === "running"
            ? { running: { startedAt: at } }
            : { terminated: { exitCode: state.exitCode, startedAt: at, finishedAt: at } },
    })),
    initContainers: [],
  };
}

/** Our virtual node's side of the wire, in the words of the existing one's. */
export class OurNode implements AsyncDisposable {
  readonly client;
  readonly site;
  readonly #signal = new AbortController().signal;

  constructor(address: string) {
    this.client = createInterlinkClient({ address, peer: "server" });
    this.site = createInterlinkSite({ client: this.client });
  }

  async ping(): Promise<{ ready: boolean }> {
    try {
      await this.site.ping(this.#signal);
      return { ready: true };
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return { ready: false };
    }
  }

  async create(body: string): Promise<ExistingPod> {
    const request = JSON.parse(body) as PodCreateRequest;
    try {
      const { PodJID: jobId } = await this.site.create(request, this.#signal);
      return { phase: "Pending", reason: "", jobId };
    } catch (error) {
      return { phase: "Failed", reason: (error as Error).message, jobId: undefined };
    }
  }

  async status(pod: Pod): Promise<{ status: GoPodStatus; phase: string | undefined } | undefined> {
    const told = await this.site.status([pod], this.#signal);
    const [status] = podStatuses(JSON.stringify(told));
    return status === undefined ? undefined : { status, phase: phaseOf(status) };
  }

  async delete(pod: Pod): Promise<unknown> {
    return this.site.delete(pod, this.#signal);
  }

  async logs(pod: Pod, container: string): Promise<{ code: number; body: string }> {
    const { namespace = "", name = "", uid = "" } = pod.metadata ?? {};
    const opts = { Tail: 0, Bytes: 0, Timestamps: false, Follow: false, Previous: false };
    const request: LogRequest = {
      Namespace: namespace,
      PodUID: uid,
      PodName: name,
      ContainerName: container,
      Opts: { ...opts, SinceSeconds: 0, SinceTime: "0001-01-01T00:00:00Z" },
    };
    writeLogRequest(request);
    const chunks: Uint8Array[] = [];
    for await (const chunk of await this.site.logs(request, this.#signal)) chunks.push(chunk);
    return { code: 200, body: Buffer.concat(chunks).toString("utf8") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }
}
