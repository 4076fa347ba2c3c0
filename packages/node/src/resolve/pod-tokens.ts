import { type KubeClient, paths, subresource } from "@interlink/kube";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { PodObjects, TokenWish } from "./pod-objects.ts";

/** When service account tokens are exchanged for new ones (kubelet `pkg/kubelet/token/token_manager.go`). */
export interface TokenTiming {
  /** Share of its life after which a token is exchanged, 0 to 1. */
  renewAfter: number;
  /** Milliseconds after which one that lives longer is exchanged all the same. */
  longestMs: number;
  /** Up to so many milliseconds earlier, so that the pods of one moment do not come all at once. */
  jitterMs: number;
  /** Milliseconds until the next try after a failed one, while the old token still serves; up to twice that. */
  retryMs: number;
}

export const DEFAULT_TOKEN_TIMING: TokenTiming = {
  renewAfter: 0.8,
  longestMs: 24 * 3_600_000,
  jitterMs: 10_000,
  retryMs: 30_000,
};

export interface PodTokensOptions {
  client: KubeClient;
  /** Monotonic milliseconds. */
  now: () => number;
  /** Milliseconds since the epoch: a machine that slept counts on here. */
  wallMs: () => number;
  random: () => number;
  timing: TokenTiming;
}

/** Times of both clocks; whichever comes first counts. */
interface Moment {
  now: number;
  wallMs: number;
}

interface Held {
  token: string;
  renewAt: Moment;
  expiresAt: Moment;
}

interface Slot {
  held?: Held;
  asking?: Promise<Held>;
}

/**
 * The service account tokens of the pods that run, each bound to its pod. In memory only, until the pod goes; a token
 * that cannot be renewed serves on until it expires. Never logged.
 */
export class PodTokens {
  readonly #options: PodTokensOptions;
  /** By pod UID, then by what is wished for. */
  readonly #pods = new Map<string, Map<string, Slot>>();

  constructor(options: PodTokensOptions) {
    this.#options = options;
  }

  /** What the pod's volumes wish for: from memory while it is fresh, else new. Rejects only when the signal fires. */
  async get(
    pod: Pod,
    wishes: readonly TokenWish[],
    signal: AbortSignal,
  ): Promise<PodObjects["tokens"]> {
    const found = await Promise.all(wishes.map((wish) => this.#one(pod, wish, signal)));
    return new Map(wishes.map(({ key }, index) => [key, found[index] ?? { error: "" }]));
  }

  /** Milliseconds until the first of the pod's tokens is to be renewed, at least 0; undefined when none is held. */
  dueInMs(uid: string): number | undefined {
    const { now, wallMs } = this.#options;
    const waits = [...(this.#pods.get(uid)?.values() ?? [])].flatMap(({ held }) =>
      held ? [Math.min(held.renewAt.now - now(), held.renewAt.wallMs - wallMs())] : [],
    );
    return waits.length === 0 ? undefined : Math.max(0, Math.min(...waits));
  }

  /** The pod is gone, and with it its tokens. */
  forget(uid: string): void {
    this.#pods.delete(uid);
  }

  async #one(
    pod: Pod,
    wish: TokenWish,
    signal: AbortSignal,
  ): Promise<{ token: string } | { error: string }> {
    const slot = this.#slot(pod, wish);
    const { held } = slot;
    if (held && !this.#isPast(held.renewAt)) return { token: held.token };
    try {
      slot.asking ??= this.#ask(pod, wish, signal).finally(() => delete slot.asking);
      slot.held = await slot.asking;
      return { token: slot.held.token };
    } catch (error) {
      if (signal.aborted) throw error;
      if (held && !this.#isPast(held.expiresAt)) {
        const { retryMs } = this.#options.timing;
        held.renewAt = this.#in(retryMs * (1 + this.#options.random()));
        return { token: held.token };
      }
      // The pod waits for it like for a missing object; the sentence goes into its event.
      return { error: error instanceof Error ? error.message : String(error) };
    }
  }

  #slot(pod: Pod, { audience = "", expirationSeconds }: TokenWish): Slot {
    const uid = pod.metadata?.uid ?? "";
    const ofPod = this.#pods.get(uid) ?? new Map<string, Slot>();
    this.#pods.set(uid, ofPod);
    const key = `${expirationSeconds} ${audience}`;
    const slot = ofPod.get(key) ?? {};
    ofPod.set(key, slot);
    return slot;
  }

  async #ask(pod: Pod, wish: TokenWish, signal: AbortSignal): Promise<Held> {
    const { timing, random, client } = this.#options;
    const { token, seconds } = await requestToken(client, pod, wish, signal);
    // Counted from our own clock, which need not agree with that of the API server.
    const lifeMs = seconds * 1000;
    const age = Math.min(lifeMs * timing.renewAfter, timing.longestMs);
    const jitter = Math.min(timing.jitterMs, age / 2) * random();
    return { token, renewAt: this.#in(age - jitter), expiresAt: this.#in(lifeMs) };
  }

  #in(ms: number): Moment {
    return { now: this.#options.now() + ms, wallMs: this.#options.wallMs() + ms };
  }

  #isPast(moment: Moment): boolean {
    return moment.now <= this.#options.now() || moment.wallMs <= this.#options.wallMs();
  }
}

/** A TokenRequest bound to the pod: the token dies with it (kubelet-contract.md 4.2). */
async function requestToken(
  client: KubeClient,
  pod: Pod,
  { audience, expirationSeconds }: TokenWish,
  signal: AbortSignal,
): Promise<{ token: string; seconds: number }> {
  const { name = "", namespace = "default", uid = "" } = pod.metadata ?? {};
  const account = pod.spec?.serviceAccountName || "default";
  const answer = await client.create<{
    spec?: { expirationSeconds?: number };
    status?: { token?: string };
  }>(
    subresource(paths.serviceAccounts.named(namespace, account), "token"),
    {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {
        ...(audience ? { audiences: [audience] } : {}),
        expirationSeconds,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
      },
    },
    { signal },
  );
  const token = answer.status?.token;
  if (!token) throw new Error("the API server answered without a token");
  return { token, seconds: answer.spec?.expirationSeconds || expirationSeconds };
}
