import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { EngineClient } from "../engine/engine-client.ts";
import { jsonLines } from "../engine/json-lines.ts";
import { LABELS, ownFilter } from "../pods/labels.ts";
import type { ContainerSummary } from "./engine-types.ts";

/** `id`: of the container that has changed; absent when any of the pod may have. */
export interface EngineChange {
  uid: string;
  id?: string;
  /** It ran out of memory. */
  oom?: boolean;
  /** It is the pod's sandbox, and has ended. */
  sandboxEnded?: boolean;
}

type Listener = (change: EngineChange) => void;

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

/**
 * Tells when a container of this plugin starts or ends, from the engine's event stream. Reads it as long as somebody
 * listens; when it breaks, connects again with back-off, and then names every pod, as its change may have been missed.
 */
export class ChangeFeed {
  readonly #engine: EngineClient;
  readonly #plugin: string;
  readonly #logger: Logger;
  readonly #random: () => number;
  readonly #listeners = new Set<Listener>();
  #stop: AbortController | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(engine: EngineClient, plugin: string, logger: Logger, random: () => number) {
    this.#engine = engine;
    this.#plugin = plugin;
    this.#logger = logger;
    this.#random = random;
  }

  listen(listener: Listener): () => void {
    // A wrapper of its own, so that the same function may listen twice.
    const own: Listener = (change) => listener(change);
    this.#listeners.add(own);
    if (this.#stop === undefined) {
      this.#stop = new AbortController();
      const before = this.#reading;
      const { signal } = this.#stop;
      this.#reading = before.then(() => this.#read(signal));
    }
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.#end();
    };
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#end();
    await this.#reading;
  }

  #end(): void {
    this.#stop?.abort(new Error("nobody listens"));
    this.#stop = undefined;
  }

  async #read(signal: AbortSignal): Promise<void> {
    let wait = FIRST_WAIT_MS;
    while (!signal.aborted) {
      try {
        const events = await this.#engine.stream({
          method: "GET",
          path: "/events",
          query: {
            filters: {
              ...ownFilter(this.#plugin),
              type: ["container"],
              // Docker's words and Podman's.
              event: ["start", "die", "died", "oom", "destroy", "remove"],
            },
          },
          signal,
          // The answer's head may come only with the first event.
          deadlineMs: Number.POSITIVE_INFINITY,
        });
        wait = FIRST_WAIT_MS;
        await this.#nameAll(signal);
        for await (const event of jsonLines(events)) {
          const change = changeOf(event);
          if (change !== undefined) this.#tell(change);
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.warn({ err: error }, "the engine's event stream broke; connecting again");
      }
      try {
        await delay(wait * (0.5 + this.#random() / 2), undefined, { signal });
      } catch {
        return; // Aborted while waiting.
      }
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  }

  async #nameAll(signal: AbortSignal): Promise<void> {
    const summaries = await this.#engine.json<ContainerSummary[]>({
      method: "GET",
      path: "/containers/json",
      query: { all: true, filters: ownFilter(this.#plugin) },
      signal,
    });
    const uids = new Set(summaries.map(({ Labels }) => Labels?.[LABELS.uid]));
    for (const uid of uids) if (uid !== undefined) this.#tell({ uid });
  }

  #tell(change: EngineChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function changeOf(event: unknown): EngineChange | undefined {
  const { Action, Actor } = (event ?? {}) as EngineEvent;
  const uid = Actor?.Attributes?.[LABELS.uid];
  if (uid === undefined) return undefined;
  return {
    uid,
    ...(Actor?.ID !== undefined && { id: Actor.ID }),
    ...(Action === "oom" && { oom: true }),
    ...(Actor?.Attributes?.[LABELS.kind] === "sandbox" &&
      (Action === "die" || Action === "died") && { sandboxEnded: true }),
  };
}

/** The fields that are read of a record of `GET /events`. */
interface EngineEvent {
  Action?: string;
  Actor?: { ID?: string; Attributes?: Record<string, string> };
}
