import { AsyncLocalStorage } from "node:async_hooks";
import type { AboutJob } from "../provider.ts";

/** A call under way. */
interface Call {
  readonly requestId: string;
  /** Of the pod that it is about, once that is read. */
  uid?: string;
  isOver: boolean;
}

/**
 * Completes the lines of a plugin's log: which call they are due to, and the name and the job of the pod whose UID they
 * say. One for a process, given to its log (`fields` as pino's mixin) and to `servePlugin`.
 */
export class LogScope {
  readonly #calls = new AsyncLocalStorage<Call>();
  #about: (uid: string) => AboutJob | undefined = () => undefined;

  /** Whose pods and jobs these are. */
  knows(about: (uid: string) => AboutJob | undefined): void {
    this.#about = about;
  }

  /** `work`, and whatever it begins, belongs to this call until `isOver` is called. */
  begin(requestId: string, work: () => void): { isOver: () => void } {
    const call: Call = { requestId, isOver: false };
    this.#calls.run(call, work);
    return {
      isOver: () => {
        call.isOver = true;
      },
    };
  }

  /** The call under way here is about this pod. */
  isAbout(uid: string): void {
    const call = this.#calls.getStore();
    if (call !== undefined) call.uid = uid;
  }

  /** What to add to a line; what the line says itself goes before it. */
  fields(line: object): { requestId?: string; pod?: string; job?: string } {
    const uid = "uid" in line && typeof line.uid === "string" ? line.uid : undefined;
    return { ...this.#requestOf(uid), ...(uid === undefined ? {} : this.#about(uid)) };
  }

  /**
   * A line about another pod than the call's is not due to it: loops that serve all pods may have been woken by it. Nor
   * is one after its answer.
   */
  #requestOf(uid: string | undefined): { requestId?: string } {
    const call = this.#calls.getStore();
    if (call === undefined || call.isOver) return {};
    if (call.uid !== undefined && uid !== undefined && uid !== call.uid) return {};
    return { requestId: call.requestId };
  }
}
