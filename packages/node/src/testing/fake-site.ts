import {
  type Capabilities,
  CONTENT_ANNOTATION,
  CREATED_BY_ANNOTATION,
  type CreateAnswer,
  type LogRequest,
  type PingAnswer,
  type PodCreateRequest,
  ProtocolError,
  type RemotePodEvent,
  type RemotePodStatus,
} from "@interlink/protocol";
import type { ContainerState, Pod } from "kubernetes-types/core/v1.js";
import type { RemoteListener, RemoteSite } from "../remote/remote-site.ts";
import { ended, running, status, waiting } from "./pods.ts";

type Call = "create" | "update" | "delete" | "status";
/** `lost`: the site does it, but its answer does not arrive. */
export type SiteFault = "unreachable" | "lost" | { httpStatus: number; message: string };

interface Job {
  pod: Pod;
  request: PodCreateRequest | undefined;
  status: RemotePodStatus;
}

/** A site in memory: jobs by UID, told by stream, changed by the test. It counts what it is asked to start. */
export class FakeSite implements RemoteSite {
  capabilities: Capabilities | undefined = {
    protocol: "interlink",
    version: "1.0",
    agent: "fake",
    features: ["status-stream"],
  };
  readonly jobs = new Map<string, Job>();
  /** Last statuses of jobs that are gone, told to who asks or connects late. */
  readonly buried = new Map<string, RemotePodStatus>();
  /** How often a job was started, by UID. A second create starts a second job: this site is not idempotent. */
  readonly started = new Map<string, number>();
  readonly deletes: { uid: string; grace: number | undefined }[] = [];
  readonly updates: PodCreateRequest[] = [];
  readonly logRequests: LogRequest[] = [];
  /** Ids of the creates and deletes that were asked for. */
  readonly requests: string[] = [];
  questions = 0;
  /** While away, nothing is answered and the stream is broken. */
  #away = false;
  /** Creates do not return before this resolves. */
  holdCreate: Promise<void> | undefined;
  /** Deletes of jobs end them at once; else the test calls `end`. */
  endsAtOnce = true;
  readonly #faults: { call: Call; fault: SiteFault }[] = [];
  #listeners = new Set<RemoteListener>();

  /** The next call of this kind goes wrong. */
  fail(call: Call, fault: SiteFault, times = 1): void {
    for (let count = 0; count < times; count++) this.#faults.push({ call, fault });
  }

  leave(): void {
    this.#away = true;
    for (const listener of this.#listeners) listener.connection("disconnected");
  }

  comeBack(): void {
    this.#away = false;
    for (const listener of this.#listeners) this.#snapshot(listener);
  }

  introduced(): Promise<void> {
    return this.#away ? Promise.reject(unreachable()) : Promise.resolve();
  }

  ping(): Promise<{ raw: string; answer: PingAnswer | undefined }> {
    return this.#away
      ? Promise.reject(unreachable())
      : Promise.resolve({ raw: "", answer: undefined });
  }

  async create(
    request: PodCreateRequest,
    signal: AbortSignal,
    requestId = "",
  ): Promise<CreateAnswer> {
    this.requests.push(requestId);
    const fault = this.#take("create");
    if (fault !== undefined && fault !== "lost") throw errorOf(fault);
    const { pod } = request;
    const uid = pod.metadata?.uid ?? "";
    this.started.set(uid, (this.started.get(uid) ?? 0) + 1);
    this.put(pod, waiting("ContainerCreating"), request);
    if (this.holdCreate) await Promise.race([this.holdCreate, aborted(signal)]);
    if (fault === "lost") throw unreachable();
    return { PodUID: uid, PodJID: `job-of-${uid}` };
  }

  async update(request: PodCreateRequest): Promise<void> {
    const fault = this.#take("update");
    if (fault !== undefined && fault !== "lost") throw errorOf(fault);
    const uid = request.pod.metadata?.uid ?? "";
    const job = this.jobs.get(uid);
    if (!job) throw errorOf({ httpStatus: 404, message: "no such pod" });
    this.updates.push(request);
    job.request = request;
    const content = request.pod.metadata?.annotations?.[CONTENT_ANNOTATION];
    job.status.extension = { ...job.status.extension, ...(content && { content }) };
    this.#tell(uid);
    if (fault === "lost") throw unreachable();
  }

  delete(pod: Pod, _signal: AbortSignal, requestId = ""): Promise<void> {
    this.requests.push(requestId);
    const fault = this.#take("delete");
    if (fault !== undefined && fault !== "lost") return Promise.reject(errorOf(fault));
    const uid = pod.metadata?.uid ?? "";
    this.deletes.push({ uid, grace: pod.metadata?.deletionGracePeriodSeconds });
    if (this.endsAtOnce) setImmediate(() => this.end(uid));
    return fault === "lost" ? Promise.reject(unreachable()) : Promise.resolve();
  }

  status(pods: readonly Pod[]): Promise<RemotePodStatus[]> {
    const fault = this.#take("status");
    if (fault !== undefined && fault !== "lost") return Promise.reject(errorOf(fault));
    this.questions++;
    const known = pods.flatMap(({ metadata: { uid = "" } = {} }) => {
      return this.jobs.get(uid)?.status ?? this.buried.get(uid) ?? [];
    });
    return Promise.resolve(structuredClone(known));
  }

  logs(request: LogRequest): Promise<AsyncIterable<Uint8Array>> {
    this.logRequests.push(request);
    async function* lines() {
      yield Buffer.from("hello\n");
    }
    return Promise.resolve(lines());
  }

  exec = notInThisFake;
  attach = notInThisFake;
  portForward = notInThisFake;
  stats = notInThisFake;

  async follow(
    _pods: () => readonly Pod[],
    listener: RemoteListener,
    signal: AbortSignal,
  ): Promise<void> {
    this.#listeners.add(listener);
    if (!this.#away) this.#snapshot(listener);
    await aborted(signal).catch(() => undefined);
    this.#listeners.delete(listener);
  }

  /** Puts a job, as if it had been created; tells it. */
  put(pod: Pod, state: ContainerState, request?: PodCreateRequest): void {
    const { [CREATED_BY_ANNOTATION]: createdBy, [CONTENT_ANNOTATION]: content } =
      pod.metadata?.annotations ?? {};
    const uid = pod.metadata?.uid ?? "";
    this.jobs.set(uid, {
      pod,
      request,
      status: {
        name: pod.metadata?.name ?? "",
        namespace: pod.metadata?.namespace ?? "",
        UID: uid,
        JID: `job-of-${uid}`,
        containers: (pod.spec?.containers ?? []).map(({ name }) => status(name, state)),
        initContainers: [],
        ...(this.capabilities
          ? { extension: { ...(createdBy && { createdBy }), ...(content && { content }) } }
          : {}),
      },
    });
    this.#tell(uid);
  }

  /** All containers of the job take this state. */
  set(uid: string, state: ContainerState): void {
    const job = this.jobs.get(uid);
    if (!job) throw new Error(`the site has no job of ${uid}`);
    job.status.containers = job.status.containers.map(({ name }) => status(name, state));
    this.#tell(uid);
  }

  run(uid: string): void {
    this.set(uid, running());
  }

  /** The job is removed as it is, and its last status is kept. */
  bury(uid: string): void {
    const job = this.jobs.get(uid);
    if (!job) throw new Error(`the site has no job of ${uid}`);
    const extension = { ...job.status.extension, deleting: true, gone: true };
    this.buried.set(uid, { ...job.status, extension });
    this.jobs.delete(uid);
    for (const listener of this.#heard()) listener.gone(uid);
  }

  /** The job stops and is removed. */
  end(uid: string, exitCode = 143): void {
    const job = this.jobs.get(uid);
    if (!job) return;
    if (!job.status.containers.every(({ state }) => state?.terminated)) {
      this.set(uid, ended(exitCode));
    }
    this.jobs.delete(uid);
    for (const listener of this.#heard()) listener.gone(uid);
  }

  event(event: RemotePodEvent): void {
    for (const listener of this.#heard()) listener.event(event);
  }

  #tell(uid: string): void {
    const job = this.jobs.get(uid);
    if (job) for (const listener of this.#heard()) listener.status(structuredClone(job.status));
  }

  #heard(): RemoteListener[] {
    return this.#away ? [] : [...this.#listeners];
  }

  #snapshot(listener: RemoteListener): void {
    const askedAt = performance.now();
    const statuses = [...[...this.jobs.values()].map((job) => job.status), ...this.buried.values()];
    for (const status of statuses) listener.status(structuredClone(status));
    listener.connection("connected");
    const known = new Set(statuses.map(({ UID }) => UID));
    listener.synced({ askedAt, asked: "all", known });
  }

  #take(call: Call): SiteFault | undefined {
    if (this.#away) return "unreachable";
    const index = this.#faults.findIndex((one) => one.call === call);
    return index < 0 ? undefined : this.#faults.splice(index, 1)[0]?.fault;
  }
}

/** Rejects when the signal fires. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fire = () => reject(new ProtocolError("aborted", "the caller gave up"));
    if (signal.aborted) fire();
    signal.addEventListener("abort", fire, { once: true });
  });
}

function unreachable(): ProtocolError {
  return new ProtocolError("unreachable", "no connection to the site");
}

function errorOf(fault: Exclude<SiteFault, "lost">): ProtocolError {
  if (fault === "unreachable") return unreachable();
  return new ProtocolError("refused", fault.message, { httpStatus: fault.httpStatus });
}

function notInThisFake(): Promise<never> {
  return Promise.reject(new ProtocolError("refused", "not offered", { httpStatus: 501 }));
}
