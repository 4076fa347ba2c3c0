// The certificate of the kubelet API, over its whole life.
//
//   self-signed ──▶ requested ──signed──▶ issued
//        ▲              │ ▲                 │
//        │   refused: ──┘ └── 70–90 % of its life, or the node has other addresses
//        └── what is served has run out, or does not cover the node's addresses
//
// Without `csr` there is only the first of the three, made anew in time.

import { Backoff, type KubeClient } from "@interlink/kube";
import type { Logger } from "pino";
import { selfSignedCertificate } from "../kubelet-api/serving-certificate.ts";
import { Waker } from "../waker.ts";
import {
  type CertificateFacts,
  certificateFacts,
  type KeyPair,
  renewalTime,
} from "./certificate-facts.ts";
import type { CertificateFile } from "./certificate-file.ts";
import {
  type CertificateTiming,
  defaultCertificateTiming,
  LONGEST_PAUSE_MS,
  SHORTEST_PAUSE_MS,
} from "./certificate-timing.ts";
import { requestCertificate } from "./request-certificate.ts";

export interface ServingCertificatesOptions {
  nodeName: string;
  /** `csr`: signed by the cluster's signer `kubernetes.io/kubelet-serving`. */
  from: "csr" | "self-signed";
  /** The addresses of the node, as its status has them: names and IPs. */
  hosts: readonly string[];
  /** Where an issued certificate outlives the process. Without it each start asks for a new one. */
  file?: CertificateFile | undefined;
  client: KubeClient;
  /** An event on the node. */
  tell: (type: "Normal" | "Warning", reason: string, message: string) => void;
  logger: Logger;
  timing?: Partial<CertificateTiming>;
}

interface Served {
  pair: KeyPair;
  facts: CertificateFacts;
  issued: boolean;
  renewAt: number;
}

export class ServingCertificates {
  readonly #options: ServingCertificatesOptions;
  readonly #timing: CertificateTiming;
  readonly #backoff: Backoff;
  readonly #waker = new Waker();
  #hosts: readonly string[];
  #served: Served | undefined;
  /** Fires when the request under way asks for hosts that are the node's no longer. */
  #otherHosts = new AbortController();

  constructor(options: ServingCertificatesOptions) {
    this.#options = options;
    this.#hosts = options.hosts;
    this.#timing = { ...defaultCertificateTiming, ...options.timing };
    const { firstRetryMs, retryMs } = this.#timing;
    this.#backoff = new Backoff({ firstMs: firstRetryMs, capMs: retryMs, jitter: 0.2 });
  }

  /** What to serve at the start: what an earlier run was given, else a self-signed one. */
  async first(): Promise<KeyPair> {
    const kept = await this.#kept();
    this.#served = kept ?? (await this.#selfSigned());
    return this.#served.pair;
  }

  /** The node has other addresses from now on. */
  setHosts(hosts: readonly string[]): void {
    this.#hosts = hosts;
    this.#otherHosts.abort();
    this.#otherHosts = new AbortController();
    this.#waker.wake();
  }

  /** Hands every later certificate to `use`, until the signal fires. Never rejects. */
  async run(use: (pair: KeyPair) => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const wait = await this.#step(use, signal);
      await this.#waker.pause(Math.min(wait, LONGEST_PAUSE_MS), signal);
    }
  }

  /** One look; answers how long until the next, milliseconds. */
  async #step(use: (pair: KeyPair) => void, signal: AbortSignal): Promise<number> {
    const take = (served: Served): Served => {
      this.#served = served;
      use(served.pair);
      return served;
    };
    const { from } = this.#options;
    const now = this.#timing.now();
    const served = this.#fits(this.#served) ? this.#served : take(await this.#selfSigned());
    const isDue = now >= served.renewAt;
    if (from === "self-signed") {
      const { renewAt } = isDue ? take(await this.#selfSigned()) : served;
      return Math.max(renewAt - now, SHORTEST_PAUSE_MS);
    }
    if (served.issued && !isDue) return Math.max(served.renewAt - now, SHORTEST_PAUSE_MS);
    return this.#request(served, take, signal);
  }

  /** Answers how long until the next look, milliseconds. */
  async #request(
    served: Served,
    take: (served: Served) => Served,
    signal: AbortSignal,
  ): Promise<number> {
    const { client, nodeName, file, tell, logger } = this.#options;
    const otherHosts = this.#otherHosts.signal;
    const left = served.facts.notAfter - this.#timing.now();
    try {
      const pair = await requestCertificate(
        client,
        {
          nodeName,
          signer: "kubernetes.io/kubelet-serving",
          hosts: this.#hosts,
          waitMs: Math.min(this.#timing.waitMs, Math.max(left, 60_000)),
          requested: (name) => this.#tellRequested(name, served),
        },
        AbortSignal.any([signal, otherHosts]),
      );
      const { renewAt } = take(this.#judged(pair, true));
      this.#backoff.reset();
      tell(
        "Normal",
        "ServingCertificateIssued",
        "The kubelet API serves a certificate of the cluster.",
      );
      await file?.write(pair).catch((err: unknown) => {
        logger.warn(
          { err, file: file.path },
          "The serving certificate cannot be kept: a restart asks for another one.",
        );
      });
      return Math.max(renewAt - this.#timing.now(), SHORTEST_PAUSE_MS);
    } catch (error) {
      if (signal.aborted || otherHosts.aborted) return 0;
      const retryMs = this.#backoff.next(this.#timing.now());
      const words = error instanceof Error ? error.message : String(error);
      logger.warn({ err: error, retryMs }, "There is no serving certificate from the cluster yet.");
      tell("Warning", "ServingCertificateRefused", `${words} ${what(served)}`);
      return retryMs;
    }
  }

  #tellRequested(name: string, served: Served): void {
    const { tell, logger } = this.#options;
    const todo = `Run: kubectl certificate approve ${name}`;
    logger.info(
      { request: name, served: what(served) },
      `A serving certificate is requested. ${todo}`,
    );
    tell(
      served.issued ? "Normal" : "Warning",
      "ServingCertificateRequested",
      `${name} waits to be approved. ${what(served)} ${todo}`,
    );
  }

  async #kept(): Promise<Served | undefined> {
    const { from, file, nodeName } = this.#options;
    const pair = from === "csr" ? await file?.read() : undefined;
    if (pair === undefined) return undefined;
    const served = this.#judged(pair, true);
    return this.#fits(served) && served.facts.isFor(`system:node:${nodeName}`) ? served : undefined;
  }

  async #selfSigned(): Promise<Served> {
    const { nodeName } = this.#options;
    const now = new Date(this.#timing.now());
    const hosts = [...this.#hosts, nodeName];
    return this.#judged(await selfSignedCertificate(nodeName, hosts, now), false);
  }

  #judged(pair: KeyPair, issued: boolean): Served {
    const facts = certificateFacts(pair);
    return { pair, facts, issued, renewAt: renewalTime(facts, this.#timing.random()) };
  }

  #fits(served: Served | undefined): served is Served {
    if (served === undefined) return false;
    return this.#timing.now() < served.facts.notAfter && served.facts.covers(this.#hosts);
  }
}

function what({ issued }: Served): string {
  return issued
    ? "The one before is served until then."
    : "A self-signed one is served until then.";
}
