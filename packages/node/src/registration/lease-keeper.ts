import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { CredentialSource } from "@interlink/kube";
import type { Logger } from "pino";
import { runLeaseLoop } from "./lease-loop.ts";
import type { LeaseCommand, LeaseReport, LeaseWorkerData } from "./lease-protocol.ts";

export interface LeaseKeeperOptions {
  /** Of the thread's own client. */
  credentials: CredentialSource;
  nodeName: string;
  /** Default 40, as a kubelet's. */
  leaseSeconds?: number;
  /** Default 10 s. */
  renewMs?: number;
  logger: Logger;
  /** The built `lease-worker.js`; default: the one beside this file, or in `dist` when this runs from source. */
  workerFile?: URL;
}

/** Keeps the node's lease fresh, in a thread that a busy event loop cannot starve. */
export interface LeaseKeeper extends AsyncDisposable {
  /** The Node object exists under this UID: renewing begins. */
  nodeIs(uid: string): void;
  /** When the lease was last written, in milliseconds since the epoch. */
  readonly renewedAtMs: number | undefined;
  /** `main`: the worker's file is missing, and the lease is renewed in this thread. */
  readonly thread: "worker" | "main";
}

/** Starts the thread. A thread that dies is started again after a second. */
export function startLeaseKeeper(options: LeaseKeeperOptions): LeaseKeeper {
  const { credentials, nodeName, leaseSeconds = 40, renewMs = 10_000, logger } = options;
  const data: LeaseWorkerData = { credentials, nodeName, leaseSeconds, renewMs };
  const file = options.workerFile ?? workerFile(import.meta.url);
  if (existsSync(fileURLToPath(file))) return new ThreadKeeper(file, data, logger);
  logger.warn(
    { file: fileURLToPath(file) },
    "The lease thread is not built; the lease is renewed in the main thread, which a busy event loop can delay. Run `npm run build`.",
  );
  return new MainThreadKeeper(data, logger);
}

/** `…/dist/registration/lease-worker.js`, whether `here` is in `dist` or in `src`. */
export function workerFile(here: string): URL {
  return new URL(
    here.endsWith(".ts") ? "../../dist/registration/lease-worker.js" : "./lease-worker.js",
    here,
  );
}

/** Remembers the last renewal; says failures once until the next success. */
class LeaseReports {
  renewedAtMs: number | undefined;
  readonly #logger: Logger;
  #failing = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  take(report: LeaseReport): void {
    if (report.type === "renewed") {
      if (this.#failing) this.#logger.info("The node's lease is renewed again.");
      this.#failing = false;
      this.renewedAtMs = report.atMs;
      return;
    }
    if (!this.#failing)
      this.#logger.warn({ reason: report.message }, "The node's lease cannot be renewed.");
    this.#failing = true;
  }
}

class ThreadKeeper implements LeaseKeeper {
  readonly thread = "worker";
  readonly #file: URL;
  readonly #data: LeaseWorkerData;
  readonly #logger: Logger;
  readonly #reports: LeaseReports;
  #worker: Worker;
  #uid: string | undefined;
  #closing = false;
  #restart: NodeJS.Timeout | undefined;

  constructor(file: URL, data: LeaseWorkerData, logger: Logger) {
    this.#file = file;
    this.#data = data;
    this.#logger = logger;
    this.#reports = new LeaseReports(logger);
    this.#worker = this.#start();
  }

  get renewedAtMs(): number | undefined {
    return this.#reports.renewedAtMs;
  }

  nodeIs(uid: string): void {
    this.#uid = uid;
    this.#send({ type: "node", uid });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#restart);
    const worker = this.#worker;
    const gone = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    // Ended threads have id -1 and tell nothing more.
    if (worker.threadId === -1) return;
    this.#send({ type: "stop" });
    const force = setTimeout(() => void worker.terminate(), 2000);
    await gone;
    clearTimeout(force);
  }

  #start(): Worker {
    // No inherited flags: a loader of the parent (tests, dev runs) has no business here.
    const worker = new Worker(this.#file, { workerData: this.#data, execArgv: [] });
    worker.on("message", (report: LeaseReport) => this.#reports.take(report));
    worker.on("error", (error) => this.#logger.error({ err: error }, "The lease thread failed."));
    worker.on("exit", () => {
      if (this.#closing) return;
      this.#restart = setTimeout(() => {
        this.#worker = this.#start();
        if (this.#uid !== undefined) this.nodeIs(this.#uid);
      }, 1000);
    });
    // The thread lives only as long as there is something to renew the lease for. Last: a listener refs it again.
    worker.unref();
    return worker;
  }

  #send(command: LeaseCommand): void {
    this.#worker.postMessage(command);
  }
}

class MainThreadKeeper implements LeaseKeeper {
  readonly thread = "main";
  readonly #stop = new AbortController();
  readonly #reports: LeaseReports;
  readonly #run: Promise<void>;
  #uid: string | undefined;

  constructor(data: LeaseWorkerData, logger: Logger) {
    this.#reports = new LeaseReports(logger);
    this.#run = runLeaseLoop(
      data,
      () => this.#uid,
      (report) => this.#reports.take(report),
      this.#stop.signal,
    );
  }

  get renewedAtMs(): number | undefined {
    return this.#reports.renewedAtMs;
  }

  nodeIs(uid: string): void {
    this.#uid = uid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#run;
  }
}
