import {
  type InterlinkClient,
  type MessageSocket,
  ProtocolError,
  type RemotePodStatus,
} from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { StatusBatcher } from "../../status/status-batcher.ts";
import type { PluginCapabilities } from "../plugin-capabilities.ts";

/** A status question that is open for so long makes its plugin a slow one. */
export const SLOW_MS = 5_000;

export interface PluginLineParts {
  name: string;
  client: InterlinkClient;
  capabilities: PluginCapabilities;
  batcher: StatusBatcher;
  /** Calls at the same time, and streams. */
  limits: { calls: number; streams: number };
  /** Milliseconds. */
  now: () => number;
}

/** One of several plugins, with all that it does not share with the others: connections, batches, limits. */
export class PluginLine {
  readonly name: string;
  readonly client: InterlinkClient;
  readonly capabilities: PluginCapabilities;
  private readonly parts: PluginLineParts;
  private readonly open = { calls: 0, streams: 0 };
  /** When each open status question began. */
  private readonly questions = new Set<{ since: number }>();
  /** Whether its last answer was one. */
  healthy = true;

  constructor(parts: PluginLineParts) {
    this.parts = parts;
    this.name = parts.name;
    this.client = parts.client;
    this.capabilities = parts.capabilities;
  }

  /** One call. Throws `unavailable` when this plugin has too many already; others are not concerned. */
  async call<T>(work: (client: InterlinkClient) => Promise<T>): Promise<T> {
    const release = this.take("calls");
    try {
      return await this.judged(() => work(this.client));
    } finally {
      release();
    }
  }

  /** A log, counted until it is read to its end or left. Throws as `call`. */
  async log(
    open: (client: InterlinkClient) => Promise<AsyncIterable<Uint8Array>>,
  ): Promise<AsyncIterable<Uint8Array>> {
    const release = this.take("streams");
    try {
      return withEnd(await open(this.client), release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** A stream, counted until it is closed. Throws as `call`. */
  async socket(open: (client: InterlinkClient) => Promise<MessageSocket>): Promise<MessageSocket> {
    const release = this.take("streams");
    try {
      const socket = await open(this.client);
      void socket.closed.then(release);
      return socket;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** One of its batches. A plugin that is slow is not asked anew: whoever asks is told so at once. */
  async status(pods: readonly Pod[], signal: AbortSignal): Promise<RemotePodStatus[]> {
    const slow = this.slowFor();
    if (slow !== undefined) throw this.slowness(slow);
    const question = { since: this.parts.now() };
    this.questions.add(question);
    try {
      return await this.judged(() => this.parts.batcher.ask(pods, signal));
    } finally {
      this.questions.delete(question);
    }
  }

  slowness(ms: number): ProtocolError {
    return new ProtocolError(
      "unavailable",
      `the plugin ${this.name} has not answered a status question for ${Math.floor(ms / 1000)} s`,
    );
  }

  /** Milliseconds since the oldest open question, if that is too long. */
  slowFor(): number | undefined {
    const [oldest] = this.questions;
    const open = oldest === undefined ? 0 : this.parts.now() - oldest.since;
    return open > SLOW_MS ? open : undefined;
  }

  /** Takes a place, to be given back. */
  private take(kind: "calls" | "streams"): () => void {
    const limit = this.parts.limits[kind];
    if (this.open[kind] >= limit) {
      throw new ProtocolError(
        "unavailable",
        `the plugin ${this.name} has ${limit} ${kind} open already; try again`,
      );
    }
    this.open[kind]++;
    return () => {
      this.open[kind]--;
    };
  }

  private async judged<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.healthy = true;
      return result;
    } catch (error) {
      const { code } = ProtocolError.from(error);
      if (code === "unreachable" || code === "timeout") this.healthy = false;
      throw error;
    }
  }
}

async function* withEnd(
  chunks: AsyncIterable<Uint8Array>,
  ended: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* chunks;
  } finally {
    ended();
  }
}

/** The answer, or the plugin's slowness as an error. */
export async function unlessSlow(
  line: PluginLine,
  answer: Promise<RemotePodStatus[]>,
): Promise<RemotePodStatus[]> {
  let timer: NodeJS.Timeout | undefined;
  const slow = new Promise<never>((_, reject) => {
    // A little later than the plugin counts as slow: what is asked next is told so at once.
    timer = setTimeout(() => reject(line.slowness(SLOW_MS)), SLOW_MS + 100);
  });
  try {
    return await Promise.race([answer, slow]);
  } finally {
    clearTimeout(timer);
    // Its error, if it comes later, has been told.
    answer.catch(() => undefined);
  }
}
