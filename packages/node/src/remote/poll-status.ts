import type { Backoff } from "@interlink/kube";
import { type InterlinkClient, ProtocolError, type RemotePodStatus } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { Waker } from "../waker.ts";
import { saysSomething } from "./base-status.ts";
import type { RemoteListener, SyncedAnswer } from "./remote-site.ts";

export interface PollOptions {
  client: InterlinkClient;
  /** Between two questions, milliseconds. */
  everyMs: number;
  /** The same while a pod is younger than {@link YOUNG_MS}: then much happens. */
  youngEveryMs: number;
  backoff: Backoff;
  /** Woken when the site is back. */
  waker: Waker;
  now: () => number;
}

const YOUNG_MS = 60_000;
const PODS_PER_QUESTION = 200;
const SINGLE_QUESTIONS_AT_ONCE = 8;

/** Asks for all pods again and again until the signal fires or `done()` says that there is a better way by now. */
export async function pollStatus(
  options: PollOptions,
  pods: () => readonly Pod[],
  listener: RemoteListener,
  done: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && !done()) {
    const asked = pods();
    let wait = asked.some(isYoung) ? options.youngEveryMs : options.everyMs;
    if (asked.length > 0) {
      try {
        const { statuses, ...answer } = await askAll(options, asked, signal);
        options.backoff.reset();
        listener.connection("connected");
        for (const status of statuses) listener.status(status);
        listener.synced(answer);
      } catch (error) {
        if (signal.aborted) return;
        listener.connection("disconnected", ProtocolError.from(error));
        wait = options.backoff.next(options.now());
      }
    }
    await options.waker.pause(wait, signal);
  }
}

interface Answer extends SyncedAnswer {
  asked: Set<string>;
  statuses: RemotePodStatus[];
}

/**
 * One question per batch. Plugins of the base protocol may answer for the first pod only, or refuse the whole batch
 * for one pod that they do not know (interlink-other-plugins.md section 1): then each pod is asked for by itself. A
 * pod whose own question fails counts as not asked, never as unknown.
 */
async function askAll(
  options: PollOptions,
  pods: readonly Pod[],
  signal: AbortSignal,
): Promise<Answer> {
  const answer: Answer = {
    askedAt: options.now(),
    asked: new Set(),
    known: new Set(),
    statuses: [],
  };
  for (let start = 0; start < pods.length; start += PODS_PER_QUESTION) {
    const batch = pods.slice(start, start + PODS_PER_QUESTION);
    const statuses = await askBatch(options.client, batch, signal);
    if (statuses) note(answer, batch, statuses);
    const left = batch.filter((pod) => !answer.known.has(uidOf(pod)));
    if (batch.length > 1) await askSingly(options.client, left, answer, signal);
  }
  return { ...answer, known: new Set(answer.statuses.map(({ UID }) => UID)) };
}

async function askBatch(
  client: InterlinkClient,
  batch: readonly Pod[],
  signal: AbortSignal,
): Promise<RemotePodStatus[] | undefined> {
  try {
    return await client.status(batch, { signal });
  } catch (error) {
    if (batch.length > 1 && error instanceof ProtocolError && isAboutContent(error)) {
      return undefined;
    }
    throw error;
  }
}

async function askSingly(
  client: InterlinkClient,
  pods: readonly Pod[],
  answer: Answer,
  signal: AbortSignal,
): Promise<void> {
  const left = [...pods];
  const worker = async (): Promise<void> => {
    for (let pod = left.pop(); pod !== undefined; pod = left.pop()) {
      try {
        note(answer, [pod], await client.status([pod], { signal }));
      } catch (error) {
        answer.asked.delete(uidOf(pod));
        if (!(error instanceof ProtocolError) || !isAboutContent(error)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: SINGLE_QUESTIONS_AT_ONCE }, worker));
}

function note(answer: Answer, asked: readonly Pod[], statuses: readonly RemotePodStatus[]): void {
  const wanted = new Set(asked.map(uidOf));
  for (const uid of wanted) answer.asked.add(uid);
  for (const status of statuses) {
    // Some plugins answer with whatever they said last (interlink-slurm-plugin.md 1.4).
    if (wanted.has(status.UID) && saysSomething(status)) {
      answer.statuses.push(status);
      (answer.known as Set<string>).add(status.UID);
    }
  }
}

/** The peer is there and answers, but not this question; another question may be answered. */
function isAboutContent(error: ProtocolError): boolean {
  return error.code === "refused" || error.code === "bad-answer";
}

function isYoung(pod: Pod): boolean {
  const created = Date.parse(pod.metadata?.creationTimestamp ?? "");
  return Date.now() - created < YOUNG_MS;
}

function uidOf(pod: Pod): string {
  return pod.metadata?.uid ?? "";
}
