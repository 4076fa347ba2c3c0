import { Backoff, type BackoffOptions } from "@interlink/kube";
import {
  type CallOptions,
  type Capabilities,
  type InterlinkClient,
  offers,
  ProtocolError,
} from "@interlink/protocol";
import { Waker } from "../waker.ts";
import { saysSomething } from "./base-status.ts";
import { followStream } from "./follow-stream.ts";
import { pollStatus } from "./poll-status.ts";
import type { RemoteListener, RemoteSite } from "./remote-site.ts";

/** How a site is reached, and how often it is asked that cannot tell by itself. */
export interface InterlinkSiteOptions {
  client: InterlinkClient;
  /** Between two status questions of the base protocol, milliseconds. Default 2,000. */
  pollMs?: number;
  /** The same while young pods are there. Default 500. */
  youngPollMs?: number;
  /** Before the site is asked again after it failed. Default 250 ms doubling to 15 s, up to half as much again. */
  backoff?: BackoffOptions;
  random?: () => number;
}

const BACKOFF: BackoffOptions = { firstMs: 250, capMs: 15_000, jitter: 0.5 };

/** A RemoteSite over the interLink wire. The client stays the caller's to close. */
export function createInterlinkSite(options: InterlinkSiteOptions): RemoteSite {
  const { client } = options;
  const now = () => performance.now();
  const waker = new Waker();
  let capabilities: Capabilities | undefined;
  let learned = false;
  let learning: Promise<void> | undefined;
  let pingFailed = false;

  async function learn(signal: AbortSignal): Promise<void> {
    capabilities = await client.capabilities({ signal });
    learned = true;
  }

  /** One question for all who wait for its answer; all of them stop together. */
  async function introduced(signal: AbortSignal): Promise<void> {
    if (learned) return;
    learning ??= learn(signal).finally(() => {
      learning = undefined;
    });
    await learning;
  }

  /** Follows in the best way that the site offers. Resolves when that way ends; true if only a better one was found. */
  async function followOnce(
    pods: Parameters<RemoteSite["follow"]>[0],
    listener: RemoteListener,
    backoff: Backoff,
    signal: AbortSignal,
  ): Promise<boolean> {
    await introduced(signal);
    const streams = () => offers(capabilities, "status-stream");
    if (streams()) {
      await followStream(client, listener, now, signal);
      return false;
    }
    await pollStatus(
      {
        client,
        everyMs: options.pollMs ?? 2000,
        youngEveryMs: options.youngPollMs ?? 500,
        backoff,
        waker,
        now,
      },
      pods,
      listener,
      streams,
      signal,
    );
    return streams();
  }

  return {
    get capabilities() {
      return capabilities;
    },

    introduced,

    async ping(signal) {
      try {
        const [answer, problem] = await Promise.all([
          client.ping({ signal }),
          // A site whose ping answers and whose capabilities do not keeps those that it had.
          learn(signal).catch((error: unknown) => error),
        ]);
        // A proxy that lets only the paths of the base protocol through must not keep us from following the site.
        learned ||= isForbidden(problem);
        // Only when it was away: a site that answers pings and breaks streams must not be asked without a pause.
        if (pingFailed) waker.wake();
        pingFailed = false;
        return answer;
      } catch (error) {
        pingFailed = true;
        throw error;
      }
    },

    create: (request, signal, requestId) => client.create(request, named(signal, requestId)),
    update: (request, signal, requestId) => client.update(request, named(signal, requestId)),
    delete: (pod, signal, requestId) => client.delete(pod, named(signal, requestId)),
    async status(pods, signal) {
      return (await client.status(pods, { signal })).filter(saysSomething);
    },
    logs: (request, signal) => client.logs(request, { signal }),
    exec: (request, signal) => client.exec(request, { signal }),
    attach: (request, signal) => client.attach(request, { signal }),
    portForward: (request, signal) => client.portForward(request, { signal }),
    stats: (signal) => client.stats({ signal }),

    async follow(pods, listener, signal) {
      const backoff = new Backoff(options.backoff ?? BACKOFF, options.random);
      const told: RemoteListener = {
        status: (status) => listener.status(status),
        synced(answer) {
          backoff.reset();
          listener.synced(answer);
        },
        gone: (uid) => listener.gone(uid),
        event: (event) => listener.event(event),
        connection: (state, error) => listener.connection(state, error),
      };
      while (!signal.aborted) {
        let problem: Error | undefined;
        try {
          if (await followOnce(pods, told, backoff, signal)) continue;
        } catch (error) {
          problem = ProtocolError.from(error);
          // The site may have been exchanged for one that cannot stream.
          if (problem instanceof ProtocolError && problem.code === "refused") learned = false;
        }
        if (signal.aborted) return;
        listener.connection("disconnected", problem);
        await waker.pause(backoff.next(now()), signal);
      }
    },
  };
}

/** The peer, or something before it, answers but does not want the question. */
function isForbidden(error: unknown): boolean {
  const status = error instanceof ProtocolError && error.code === "refused" ? error.httpStatus : 0;
  return status !== undefined && status >= 400 && status < 500;
}

function named(signal: AbortSignal, requestId: string | undefined): CallOptions {
  return { signal, ...(requestId === undefined ? {} : { requestId }) };
}
