import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { attachSession, connectTo, PluginError, RuntimeError } from "@interlink/plugin-sdk";
import {
  type AttachRequest,
  allContainers,
  allRemoteStatuses,
  type ExecRequest,
  type PortConnection,
  type PortForwardRequest,
  type ProcessStreams,
} from "@interlink/protocol";
import type { Container } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";
import {
  execSession,
  overlapWords,
  type ProgramOwner,
  startProgram,
  withExitCode,
} from "../commands/exec-session.ts";
import type { SlurmClient } from "../commands/slurm-client.ts";
import { firstNode } from "../slurm/node-address.ts";
import { endSoon } from "./end-soon.ts";
import type { JobFiles } from "./job-files.ts";
import { hasAttemptEnded, logAttempt } from "./log-attempt.ts";
import type { PodJob } from "./pod-job.ts";

export interface StreamsOptions {
  files: JobFiles;
  client: SlurmClient;
  /** The program. */
  srun: string;
  env: Readonly<Record<string, string>>;
  logger: Logger;
  /** The pod's job as it is known now, its status fresh; `undefined`: there is none. */
  find: (uid: string) => PodJob | undefined;
}

interface RunningContainer {
  job: PodJob;
  container: Container;
}

/**
 * Interactive streams of running pods. Commands and input go by a step of the job beside what runs there (`srun
 * --overlap`), output of attached containers comes from their logs, connections go to the compute node.
 */
export class Streams {
  readonly #options: StreamsOptions;

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  async exec(request: ExecRequest, signal: AbortSignal): Promise<ProcessStreams> {
    const { files, env } = this.#options;
    const { ContainerName: name, Command, TTY, Size, Stdin } = request;
    const { job } = this.#running(request);
    const directory = files.directory(job.uid);
    const exitFile = join(directory, `exec-${randomUUID()}`);
    const verb = TTY
      ? ["terminal", name, `${Size?.height ?? 0}:${Size?.width ?? 0}`]
      : ["exec", name];
    const words = [
      ...this.#step(job),
      ...withExitCode(exitFile),
      ...this.#script(job),
      ...verb,
      ...Command,
    ];
    const owner = await this.#owner(job, signal);
    return execSession(words, { env, owner, stdin: Stdin, tty: TTY, exitFile }, signal);
  }

  async attach(request: AttachRequest, signal: AbortSignal): Promise<ProcessStreams> {
    const { files, env } = this.#options;
    const { job, container } = this.#running(request);
    const { name } = container;
    const { uid } = job;
    const attempt = (job.status && logAttempt(job.status, name, false)) ?? 0;
    const logFile = files.log(uid, name, attempt);
    // Looked at before anything is sent to it: what it answers is seen. No log yet: all of it is new.
    const from = await stat(logFile).then(
      ({ size }) => size,
      () => 0,
    );
    const isTerminal = container.tty === true;
    const takes = isTerminal || (container.stdin === true && request.Stdin);
    const input = takes ? [...this.#step(job), ...this.#script(job), "input", name] : [];
    const relay = takes
      ? await startProgram(input, env, await this.#owner(job, signal), true)
      : undefined;
    if (relay !== undefined) this.#watch(relay, job, name);
    const streams = attachSession(
      {
        logFile,
        from,
        pipe: relay?.stdin ?? undefined,
        isTerminal,
        isOnce: container.stdinOnce === true,
        hasEnded: async () => {
          const known = this.#options.find(uid);
          return known !== job || hasAttemptEnded(job.status, name, attempt);
        },
      },
      { stdin: request.Stdin, stdout: request.Stdout, stderr: request.Stderr, tty: request.TTY },
    );
    const close = (): void => streams.close();
    signal.addEventListener("abort", close);
    if (signal.aborted) close();
    const settled = (): void => {
      signal.removeEventListener("abort", close);
      if (relay !== undefined) endSoon(relay);
    };
    void streams.ended.then(settled);
    return streams;
  }

  /** To the node that runs the job's script, whose network all of the pod's containers share. */
  async portForward(request: PortForwardRequest, signal: AbortSignal): Promise<PortConnection> {
    const { client, find } = this.#options;
    const { PodUID: uid, PodName: name, Namespace: namespace, Port: port } = request;
    const job = find(uid);
    const runs = job?.status?.containers.some(({ state }) => state?.running !== undefined);
    if (job?.jobId === undefined || runs !== true) {
      throw new PluginError("not-found", `pod not found ("${name}_${namespace}")`);
    }
    const known = firstNode(job.queued?.nodes ?? "");
    const node = known ?? (await client.job(job.jobId, signal))?.node;
    if (node === undefined) {
      throw new PluginError(
        "unavailable",
        `Slurm does not tell the compute node of job ${job.jobId} now; try again in a moment.`,
      );
    }
    const address = (await client.nodeAddress(node, signal)) ?? node;
    const isHere = [address, node].includes(hostname());
    try {
      return await connectTo(isHere ? "127.0.0.1" : address, port, signal);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      const hint = `The pod runs on the compute node ${node}, reached as ${address}; what listens on its loopback alone, or behind a firewall, is out of reach.`;
      throw new PluginError("rejected", `${error.message}. ${hint}`, { cause: error });
    }
  }

  /** The output of an attached container goes on whatever becomes of its input; why that was lost is told to the site. */
  #watch(relay: ChildProcess, { about }: PodJob, container: string): void {
    let said = "";
    relay.stdout?.resume();
    relay.stderr?.on("data", (piece: Buffer) => {
      said = (said + piece.toString("utf8")).slice(-1000);
    });
    relay.once("close", (code) => {
      if (code === 0) return;
      const { logger } = this.#options;
      logger.warn({ ...about, container, said }, "input does not reach a container any more");
    });
  }

  #step({ jobId = "" }: PodJob): string[] {
    return [this.#options.srun, ...overlapWords(jobId)];
  }

  #script({ uid }: PodJob): string[] {
    const { files } = this.#options;
    return ["bash", "-p", files.execScript(uid), files.directory(uid)];
  }

  /** Steps are started by the job's user. */
  async #owner({ record }: PodJob, signal: AbortSignal): Promise<ProgramOwner | undefined> {
    if (record.user === undefined) return undefined;
    const { uid, gid } = await this.#options.client.user(record.user.uid, signal);
    return { uid, gid };
  }

  /** In a kubelet's words for one that does not run. */
  #running({ PodUID: uid, ContainerName: name }: AttachRequest): RunningContainer {
    const job = this.#options.find(uid);
    if (job?.status === undefined) throw new PluginError("not-found", "pod does not exist");
    const container = allContainers(job.pod).find((one) => one.name === name);
    const status = allRemoteStatuses(job.status).find((one) => one.name === name);
    if (job.jobId === undefined || container === undefined || !status?.state?.running) {
      throw new PluginError("not-found", `container not found ("${name}")`);
    }
    return { job, container };
  }
}
