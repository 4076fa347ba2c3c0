// oxlint-disable no-restricted-imports -- written as the author of a plugin writes it; shown in docs/writing-a-plugin.md

import { spawn } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Job, JobStore, Provider } from "@interlink/plugin-sdk";
import {
  openJobStore,
  PluginError,
  readLog,
  resolveContainer,
  runtimeLogOptions,
} from "@interlink/plugin-sdk";
import type {
  CreateAnswer,
  LogRequest,
  RemotePodStatus,
  RetrievedPodData,
} from "@interlink/protocol";
import type { ContainerState, Pod } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";

/** Runs the command of a pod's one container on this host. It isolates nothing. */
export class ExampleProvider implements Provider {
  readonly name = "example";
  readonly features = ["log-options"] as const;
  readonly #options: { root: string; logger: Logger };
  readonly #closing = new AbortController();
  readonly #submissions = new Map<string, Promise<Job<Started>>>();
  readonly #deletions = new Map<string, Promise<void>>();
  #store: JobStore<Started> | undefined;

  constructor(options: { root: string; logger: Logger }) {
    this.#options = options;
  }

  /** Take over what an earlier process left: nothing is started twice, no delete is forgotten. */
  async start(): Promise<void> {
    this.#store = await openJobStore({ ...this.#options, newRecord: started });
    for (const job of this.#jobs.list()) {
      if (job.phase === "deleting") this.#finishDelete(job.uid, 0);
      else if (job.phase === "intent") await this.#submit(job);
    }
  }

  async create(data: RetrievedPodData): Promise<CreateAnswer> {
    const { spec } = data.pod;
    if (spec?.containers.length !== 1 || (spec.initContainers ?? []).length > 0) {
      throw new PluginError("rejected", "This plugin runs pods of exactly one container.");
    }
    const { job } = await this.#jobs.create(data); // Intent first …
    if (job.phase === "deleting") throw new PluginError("conflict", "The pod is being deleted.");
    const { jobId = "" } = await this.#submit(job); // … then the deed.
    return { PodUID: job.uid, PodJID: jobId };
  }

  async delete(pod: Pod): Promise<void> {
    const { uid = "", name = "", namespace = "" } = pod.metadata ?? {};
    if (this.#deletions.has(uid)) return;
    if (this.#jobs.get(uid) === undefined) {
      await this.#jobs.bury({ uid, name, namespace });
      return;
    }
    await this.#jobs.update(uid, () => ({ phase: "deleting" })); // Remembered before it is answered.
    const { deletionGracePeriodSeconds: now } = pod.metadata ?? {};
    this.#finishDelete(uid, now ?? pod.spec?.terminationGracePeriodSeconds ?? 30);
  }

  async status(pods: readonly Pod[] | "all"): Promise<RemotePodStatus[]> {
    const uids =
      pods === "all"
        ? this.#jobs.list().map(({ uid }) => uid)
        : pods.map(({ metadata }) => metadata?.uid ?? "");
    const statuses = await Promise.all(
      uids.map(async (uid) => {
        const job = this.#jobs.get(uid);
        return job === undefined ? this.#jobs.finalStatus(uid) : await this.#statusOf(job);
      }),
    );
    return statuses.filter((status) => status !== undefined);
  }

  async *logs(request: LogRequest, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const job = this.#jobs.get(request.PodUID);
    if (job === undefined) throw new PluginError("not-found", "No such pod.");
    const file = this.#jobs.paths(job.uid).log(request.ContainerName, 0);
    const ended = async () => (await this.#state(job)).terminated !== undefined;
    yield* readLog(file, runtimeLogOptions(request.Opts, Date.now()), { signal, ended });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#deletions.values());
    await this.#store?.close(); // The jobs go on running.
  }

  get #jobs(): JobStore<Started> {
    if (this.#store !== undefined) return this.#store;
    throw new PluginError("unavailable", "The plugin is starting.");
  }

  /** Start the process, once: repeated and simultaneous creates, and the next life of this plugin, find it. */
  #submit(job: Job<Started>): Promise<Job<Started>> {
    const submission = this.#submissions.get(job.uid) ?? this.#submitNow(job);
    this.#submissions.set(job.uid, submission);
    return submission;
  }

  async #submitNow({ uid }: Job<Started>): Promise<Job<Started>> {
    const paths = this.#jobs.paths(uid);
    const { directory } = paths;
    let pid = await readNumber(join(directory, "pid")); // Ask the resource before submitting.
    if (pid === undefined) {
      const { pod } = await this.#jobs.data(uid);
      const [container] = pod.spec?.containers ?? [];
      if (container === undefined) throw new PluginError("internal", "The pod is empty.");
      const addresses = { podIPs: [], hostIP: "127.0.0.1" };
      const { env, command = [], args = [] } = resolveContainer(pod, container, addresses);
      const output = await open(paths.log(container.name, 0), "a", 0o600);
      const child = spawn("/bin/sh", ["-c", WRAPPER, directory, ...command, ...args], {
        detached: true,
        env: Object.fromEntries(env.map(({ name, value }) => [name, value])),
        stdio: ["ignore", output.fd, output.fd],
      });
      child.on("error", (err) => this.#options.logger.error({ err, uid }, "cannot start a shell"));
      child.unref();
      await output.close();
      pid = child.pid;
    }
    return this.#jobs.update(uid, () => ({ phase: "submitted", jobId: String(pid) }));
  }

  /** Ask it to end, end it, bury it. Goes on at the next start if this process dies meanwhile. */
  #finishDelete(uid: string, graceSeconds: number): void {
    if (this.#deletions.has(uid)) return;
    const deletion = (async () => {
      const job = this.#jobs.get(uid);
      if (job === undefined) return;
      await this.#submissions.get(uid);
      signalGroup(job.jobId, "SIGTERM");
      const deadline = Date.now() + graceSeconds * 1000;
      while ((await this.#state(job)).terminated === undefined) {
        if (Date.now() >= deadline) signalGroup(job.jobId, "SIGKILL");
        await delay(50, undefined, { signal: this.#closing.signal });
      }
      await this.#jobs.remove(uid, await this.#statusOf(job));
    })();
    const settled = deletion
      .catch((err: unknown) => this.#options.logger.warn({ err, uid }, "delete goes on later"))
      .finally(() => this.#deletions.delete(uid));
    this.#deletions.set(uid, settled);
  }

  async #statusOf(job: Job<Started>): Promise<RemotePodStatus> {
    const { uid, name, namespace, jobId = "", record } = job;
    const state = await this.#state(job);
    const container = {
      name: record.container,
      image: record.image,
      imageID: "",
      containerID: `example://${jobId}`,
      ready: state.running !== undefined,
      restartCount: 0,
      state,
    };
    return { name, namespace, UID: uid, JID: jobId, containers: [container], initContainers: [] };
  }

  async #state(job: Job<Started>): Promise<ContainerState> {
    const { directory } = this.#jobs.paths(job.uid);
    if (job.jobId === undefined) return { waiting: { reason: "ContainerCreating" } };
    const isAlive = signalGroup(job.jobId, 0); // Asked first: the exit code is there before the end.
    const exitCode = await readNumber(join(directory, "exit"));
    if (isAlive && exitCode === undefined) return { running: { startedAt: job.submittedAt ?? "" } };
    const reason = exitCode === 0 ? "Completed" : "Error";
    return { terminated: { exitCode: exitCode ?? 137, reason } };
  }
}

/** What is remembered of a pod, beside what the job store remembers by itself. */
interface Started {
  container: string;
  image: string;
}

function started({ pod }: RetrievedPodData): Started {
  const [container] = pod.spec?.containers ?? [];
  return { container: container?.name ?? "", image: container?.image ?? "" };
}

/** A constant text: the pod's words are its arguments and never become shell. `$0` is the job's directory. */
const WRAPPER =
  'trap : TERM; echo $$ > "$0/pid"; "$@"; echo $? > "$0/exit.new"; mv "$0/exit.new" "$0/exit"';

async function readNumber(file: string): Promise<number | undefined> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.endsWith("\n") ? Number(text) : undefined;
}

/** `false` if there is no such process group any more. */
function signalGroup(pid: string | undefined, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-Number(pid), signal);
  } catch {
    return false;
  }
}
