import type { ObjectReference } from "kubernetes-types/core/v1.js";
import { LruMap } from "./lru-map.ts";
import { TokenBucket } from "./rate-limit.ts";

/** Something that happened to an object, before it becomes an Event. */
export interface Happening {
  about: ObjectReference;
  type: "Normal" | "Warning";
  reason: string;
  message: string;
  /** Milliseconds since the epoch. */
  atMs: number;
}

/** What is to be done about a happening. */
export type EventPlan =
  | { do: "create"; key: string; message: string; count: number; firstMs: number }
  | { do: "count"; key: string; name: string; message: string; count: number; firstMs: number }
  /** The object has had too many events lately. */
  | { do: "drop" };

interface Counted {
  count: number;
  firstMs: number;
  /** Of the Event object, once the server has it. */
  name?: string;
}

const REMEMBERED = 4096;
const SIMILAR_LIMIT = 10;
const SIMILAR_WINDOW_MS = 600_000;
const SPAM_LIMIT = { perSecond: 1 / 300, burst: 25 };

/**
 * Keeps a noisy pod from flooding the cluster, by client-go's rules (`tools/record/events_cache.go`): the same event
 * again is counted on the first; ten that differ only in their words within ten minutes become one; and one object
 * may have 25 events at once and one per five minutes after that. Pure but for its memory; time comes in.
 */
export class EventCorrelator {
  readonly #similar = new LruMap<{ messages: Set<string>; lastMs: number }>(REMEMBERED);
  readonly #counted = new LruMap<Counted>(REMEMBERED);
  readonly #spam = new LruMap<TokenBucket>(REMEMBERED);

  plan(happening: Happening): EventPlan {
    const { about, atMs } = happening;
    const aggregate = this.#aggregate(happening);
    const { key, message } = aggregate;
    const known = this.#counted.get(key);
    const counted: Counted =
      known === undefined ? { count: 1, firstMs: atMs } : { ...known, count: known.count + 1 };
    this.#counted.set(key, counted);
    if (!this.#bucket(about, atMs).tryTake(atMs)) return { do: "drop" };
    const { count, firstMs, name } = counted;
    return name === undefined
      ? { do: "create", key, message, count, firstMs }
      : { do: "count", key, name, message, count, firstMs };
  }

  /** The server has the event under this name: the next of its kind is counted on it. */
  created(key: string, name: string): void {
    const counted = this.#counted.get(key);
    if (counted !== undefined) this.#counted.set(key, { ...counted, name });
  }

  #aggregate(happening: Happening): { key: string; message: string } {
    const { about, type, reason, message, atMs } = happening;
    const group = JSON.stringify([objectKey(about), type, reason]);
    const full = JSON.stringify([objectKey(about), about.fieldPath, type, reason, message]);
    const known = this.#similar.get(group);
    const fresh = known === undefined || atMs - known.lastMs > SIMILAR_WINDOW_MS;
    const messages = fresh ? new Set<string>() : known.messages;
    messages.add(message);
    this.#similar.set(group, { messages, lastMs: atMs });
    if (messages.size < SIMILAR_LIMIT) return { key: full, message };
    // Stay at the limit: what matters is only that there are many.
    const [any] = messages;
    if (any !== undefined) messages.delete(any);
    return { key: group, message: `(combined from similar events): ${message}` };
  }

  #bucket(about: ObjectReference, atMs: number): TokenBucket {
    const key = objectKey(about);
    const known = this.#spam.get(key);
    if (known !== undefined) return known;
    const bucket = new TokenBucket(SPAM_LIMIT, atMs);
    this.#spam.set(key, bucket);
    return bucket;
  }
}

function objectKey(about: ObjectReference): string {
  return JSON.stringify([about.kind, about.namespace, about.name, about.uid, about.apiVersion]);
}
