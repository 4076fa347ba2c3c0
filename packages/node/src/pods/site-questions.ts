import { ProtocolError, type RemotePodStatus } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { RemoteSite } from "../remote/remote-site.ts";

export interface SiteAnswer {
  /** `undefined`: the site does not know the pod. */
  status: RemotePodStatus | undefined;
  /** Milliseconds of `performance.now()` just before the question. */
  askedAt: number;
}

interface Question {
  pod: Pod;
  answer: (answer: SiteAnswer) => void;
  fail: (error: unknown) => void;
}

const PODS_PER_QUESTION = 200;
const SINGLE_QUESTIONS_AT_ONCE = 8;

/**
 * Questions about single pods, put to the site together: those of one turn of the event loop are one call. Peers of
 * the base protocol are asked pod by pod, because one unknown pod may spoil a batch; there a 404 about one pod means
 * that it is unknown.
 */
export class SiteQuestions {
  readonly #site: RemoteSite;
  readonly #signal: AbortSignal;
  #waiting: Question[] = [];

  constructor(site: RemoteSite, signal: AbortSignal) {
    this.#site = site;
    this.#signal = signal;
  }

  /** Rejects with what the site's call rejected with. */
  ask(pod: Pod): Promise<SiteAnswer> {
    return new Promise((answer, fail) => {
      this.#waiting.push({ pod, answer, fail });
      if (this.#waiting.length === 1) setImmediate(() => void this.#flush());
    });
  }

  async #flush(): Promise<void> {
    const questions = this.#waiting;
    this.#waiting = [];
    const single = this.#site.capabilities === undefined;
    const size = single ? 1 : PODS_PER_QUESTION;
    const batches: Question[][] = [];
    for (let start = 0; start < questions.length; start += size) {
      batches.push(questions.slice(start, start + size));
    }
    const worker = async (): Promise<void> => {
      for (let batch = batches.shift(); batch; batch = batches.shift()) {
        await this.#put(batch, single);
      }
    };
    await Promise.all(Array.from({ length: SINGLE_QUESTIONS_AT_ONCE }, worker));
  }

  /** Never rejects: each question gets its answer or its failure. */
  async #put(batch: readonly Question[], single: boolean): Promise<void> {
    const askedAt = performance.now();
    try {
      const statuses = await this.#site.status(
        batch.map(({ pod }) => pod),
        this.#signal,
      );
      for (const { pod, answer } of batch) {
        answer({ status: statuses.find(({ UID }) => UID === pod.metadata?.uid), askedAt });
      }
    } catch (error) {
      const unknown = single && (await this.#meansUnknown(error));
      for (const { answer, fail } of batch) {
        if (unknown) answer({ status: undefined, askedAt });
        else fail(error);
      }
    }
  }

  /** A 404 about one pod, from a site that otherwise answers: anything in between could have said it too. */
  async #meansUnknown(error: unknown): Promise<boolean> {
    if (!(error instanceof ProtocolError) || error.httpStatus !== 404) return false;
    try {
      await this.#site.ping(this.#signal);
      return true;
    } catch {
      return false;
    }
  }
}
