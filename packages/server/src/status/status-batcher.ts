import { ProtocolError, type RemotePodStatus } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";

/** Asks about all these pods in one go; unknown ones are absent from the answer. */
export type AskStatus = (pods: readonly Pod[], signal: AbortSignal) => Promise<RemotePodStatus[]>;

/** Where status questions of callers go. */
export interface StatusQuestions {
  /** The statuses of these pods; unknown ones are absent. Throws ProtocolError; `aborted` when the signal fires first. */
  ask(pods: readonly Pod[], signal: AbortSignal): Promise<RemotePodStatus[]>;
}

/** One caller and the pods that it asked for. */
interface Question {
  pods: readonly Pod[];
  resolve(statuses: RemotePodStatus[]): void;
  reject(error: ProtocolError): void;
  left: boolean;
}

/**
 * Makes one question of many. At most one call is under way; what arrives meanwhile waits and goes out together as
 * the next. So an answer is never older than its question, and the number of calls does not grow with the number of
 * callers. A failed call fails its questions; nothing is remembered. A call is aborted when all its callers have left.
 *
 * States: idle (no call under way, nobody waits) → asking (a call is under way; `waiting` fills) → asking … → idle.
 */
export class StatusBatcher implements StatusQuestions {
  private waiting: Question[] = [];
  private asking = false;
  private readonly askAll: AskStatus;
  private readonly onBatch: (questions: number, pods: number) => void;

  constructor(askAll: AskStatus, onBatch: (questions: number, pods: number) => void = () => {}) {
    this.askAll = askAll;
    this.onBatch = onBatch;
  }

  /** The statuses of these pods. Throws ProtocolError; `aborted` when the signal fires first. */
  ask(pods: readonly Pod[], signal: AbortSignal): Promise<RemotePodStatus[]> {
    if (signal.aborted) return Promise.reject(gaveUp(signal));
    return new Promise((resolve, reject) => {
      const leave = () => {
        question.left = true;
        reject(gaveUp(signal));
        this.waiting = this.waiting.filter((other) => other !== question);
        this.underWay?.someoneLeft();
      };
      const question: Question = {
        pods,
        left: false,
        resolve: (statuses) => {
          signal.removeEventListener("abort", leave);
          resolve(statuses);
        },
        reject: (error) => {
          signal.removeEventListener("abort", leave);
          reject(error);
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      this.waiting.push(question);
      if (!this.asking) void this.askUntilIdle();
    });
  }

  /** The call under way, so that leavers can end it. */
  private underWay: { someoneLeft(): void } | undefined;

  private async askUntilIdle(): Promise<void> {
    this.asking = true;
    // One turn of patience: questions of the same moment share the first call too.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      await this.askBatch(batch);
    }
    this.asking = false;
  }

  private async askBatch(batch: readonly Question[]): Promise<void> {
    const byUid = new Map<string, Pod>();
    for (const { pods } of batch) {
      for (const pod of pods) byUid.set(pod.metadata?.uid ?? "", pod);
    }
    this.onBatch(batch.length, byUid.size);
    const controller = new AbortController();
    this.underWay = {
      someoneLeft: () => {
        if (batch.every(({ left }) => left)) controller.abort();
      },
    };
    try {
      const statuses = await this.askAll([...byUid.values()], controller.signal);
      const told = new Map(statuses.map((status) => [status.UID, status]));
      for (const question of batch) {
        question.resolve(
          question.pods.flatMap(({ metadata }) => told.get(metadata?.uid ?? "") ?? []),
        );
      }
    } catch (error) {
      for (const question of batch) question.reject(ProtocolError.from(error));
    } finally {
      this.underWay = undefined;
    }
  }
}

function gaveUp(signal: AbortSignal): ProtocolError {
  return new ProtocolError("aborted", "the caller left before the status was known", {
    cause: signal.reason,
  });
}
