import type { Capabilities, InterlinkClient, StatusStreamRecord } from "@interlink/protocol";

/** What a test makes the peer do; everything else resolves with nothing. */
export interface ClientScript {
  capabilities?: () => Promise<Capabilities | undefined>;
  ping?: InterlinkClient["ping"];
  status?: InterlinkClient["status"];
  stream?: (signal: AbortSignal) => AsyncIterable<StatusStreamRecord>;
}

/** An InterlinkClient that answers from a script, without a wire. */
export function scriptedClient(script: ClientScript): InterlinkClient {
  const close = () => Promise.resolve();
  const unscripted = () => Promise.reject(new Error("not in this script"));
  return {
    peer: "server",
    create: () => Promise.resolve({ PodUID: "", PodJID: "" }),
    update: () => Promise.resolve(),
    delete: () => Promise.resolve(),
    status: script.status ?? (() => Promise.resolve([])),
    logs: () => Promise.reject(new Error("no logs in this script")),
    ping: script.ping ?? (() => Promise.resolve({ raw: "", answer: undefined })),
    capabilities: script.capabilities ?? (() => Promise.resolve(undefined)),
    async *statusStream(options = {}) {
      yield* script.stream?.(options.signal ?? new AbortController().signal) ?? [];
    },
    exec: unscripted,
    attach: unscripted,
    portForward: unscripted,
    openStream: unscripted,
    stats: unscripted,
    updateCache: () => Promise.resolve(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

export const streaming: Capabilities = {
  protocol: "interlink",
  version: "1.0",
  agent: "test",
  features: ["status-stream"],
};
