import type { RemotePodEvent, RemotePodStatus, StatusStreamRecord } from "@interlink/protocol";

/**
 * What one reader of the status stream has still to be told. Of a pod only the latest status is kept, and that it is
 * gone, after its last status: a slow reader costs at most two records per pod. Events, which cannot be merged, are
 * kept up to a bound, the oldest going first.
 */
export class StatusQueue {
  readonly #waiting = new Map<string, StatusStreamRecord>();
  readonly #events: string[] = [];
  readonly #maxEvents: number;
  #serial = 0;
  #dropped = 0;

  constructor(maxEvents = 1_000) {
    this.#maxEvents = maxEvents;
  }

  /** Events that were given up since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** A newer status keeps the place in line of the one it replaces, unless its revision says that it is older. */
  status(status: RemotePodStatus): void {
    // A UID never comes back: whatever is told after its end is late.
    if (this.#waiting.has(`gone ${status.UID}`)) return;
    const key = `pod ${status.UID}`;
    const waiting = this.#waiting.get(key);
    if (waiting?.type === "status" && isOlder(status, waiting.status)) return;
    this.#waiting.set(key, { type: "status", status });
  }

  gone(pod: { UID: string; name: string; namespace: string }): void {
    const { UID, name, namespace } = pod;
    this.#waiting.set(`gone ${UID}`, { type: "gone", UID, name, namespace });
  }

  event(event: RemotePodEvent): void {
    if (this.#events.length >= this.#maxEvents) {
      const oldest = this.#events.shift();
      if (oldest !== undefined) this.#waiting.delete(oldest);
      this.#dropped += 1;
    }
    this.#serial += 1;
    const key = `event ${this.#serial}`;
    this.#events.push(key);
    this.#waiting.set(key, { type: "event", event });
  }

  /** The next record, in the order of arrival; `undefined` when everything is told. */
  take(): StatusStreamRecord | undefined {
    for (const [key, record] of this.#waiting) {
      this.#waiting.delete(key);
      if (key === this.#events[0]) this.#events.shift();
      return record;
    }
    return undefined;
  }

  /**
   * The snapshot, with what was heard while it was being made: a status that waits takes the snapshot's place unless
   * its revision is lower. That a pod is gone stays in line.
   */
  merge(snapshot: readonly RemotePodStatus[]): RemotePodStatus[] {
    return snapshot.flatMap((status) => {
      const key = `pod ${status.UID}`;
      const waiting = this.#waiting.get(key);
      if (waiting?.type !== "status") return [status];
      this.#waiting.delete(key);
      return [isOlder(waiting.status, status) ? status : waiting.status];
    });
  }

  /** Statuses of pods that the snapshot did not know, taken out of line: they belong before `synced`. */
  takeStatuses(): RemotePodStatus[] {
    const statuses: RemotePodStatus[] = [];
    for (const [key, record] of this.#waiting) {
      if (record.type !== "status") continue;
      statuses.push(record.status);
      this.#waiting.delete(key);
    }
    return statuses;
  }
}

function isOlder(a: RemotePodStatus, b: RemotePodStatus): boolean {
  const left = a.extension?.revision;
  const right = b.extension?.revision;
  return left !== undefined && right !== undefined && left < right;
}
