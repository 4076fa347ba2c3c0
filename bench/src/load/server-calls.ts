import { randomUUID } from "node:crypto";
import { NULL_LOG } from "@interlink/e2e";
import { type InterlinkClient, type LogRequest, WHOLE_LOG } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { benchPod } from "../pods/bench-pod.ts";
import { forPlugin, forServer } from "../scenarios/create-data.ts";
import { atOnce } from "./at-once.ts";

/** One kind of call, to either peer. */
export interface CallKind {
  name: string;
  /** Calls per round and way. */
  calls: number;
  atOnce: number;
  call(client: InterlinkClient): Promise<unknown>;
}

/** The calls that API servers are measured with. The first of `pods` is asked for its log. */
export function callKinds(pods: readonly Pod[], quick: boolean, signal: AbortSignal): CallKind[] {
  return [
    {
      name: "create",
      calls: quick ? 20 : 400,
      atOnce: 16,
      call: (client) => {
        const pod = sizablePod();
        return client.create(client.peer === "server" ? forServer(pod) : forPlugin(pod), {
          signal,
        });
      },
    },
    {
      name: `status of ${pods.length} pods`,
      calls: quick ? 2 : 10,
      atOnce: 1,
      call: async (client) => {
        const answer = await client.status(pods, { signal });
        if (answer.length !== pods.length)
          throw new Error(`${answer.length} of ${pods.length} pods`);
      },
    },
    logCalls("logs", pods, { lines: 1, calls: quick ? 20 : 400 }, signal),
  ];
}

/** Logs of so many lines, read to their end. The first of `pods` is asked for. */
export function logCalls(
  name: string,
  [pod]: readonly Pod[],
  { lines, calls }: { lines: number; calls: number },
  signal: AbortSignal,
): CallKind {
  const request: LogRequest = {
    Namespace: pod?.metadata?.namespace ?? "",
    PodUID: pod?.metadata?.uid ?? "",
    PodName: pod?.metadata?.name ?? "",
    ContainerName: "main",
    Opts: { ...WHOLE_LOG, Tail: lines },
  };
  return {
    name,
    calls,
    atOnce: 16,
    call: async (client) => {
      let bytes = 0;
      for await (const chunk of await client.logs(request, { signal })) bytes += chunk.length;
      if (bytes !== lines * NULL_LOG.length) throw new Error(`the log has ${bytes} bytes`);
    },
  };
}

/** Calls that were answered, and the time that passed while they were made. */
export class Tally {
  readonly latencies: number[] = [];
  #milliseconds = 0;

  add(latencies: readonly number[], milliseconds: number): void {
    this.latencies.push(...latencies);
    this.#milliseconds += milliseconds;
  }

  /** Calls per second. */
  get rate(): number {
    return (1000 * this.latencies.length) / this.#milliseconds;
  }
}

/** Makes the calls of one round. */
export async function load(kind: CallKind, client: InterlinkClient, tally: Tally): Promise<void> {
  const begun = performance.now();
  const latencies = await atOnce(
    Array.from({ length: kind.calls }),
    kind.atOnce,
    async (): Promise<number> => {
      const sent = performance.now();
      await kind.call(client);
      return performance.now() - sent;
    },
  );
  tally.add(latencies, performance.now() - begun);
}

/** As large as pods usually are once Kubernetes has defaulted them. */
export function sizablePod(): Pod {
  const uid = randomUUID();
  const pod = benchPod(`pod-${uid.slice(0, 8)}`, ["sleep", "1"]);
  const env = Array.from({ length: 20 }, (_, index) => ({
    name: `SETTING_${index}`,
    value: `value number ${index} of this pod`,
  }));
  const containers = (pod.spec?.containers ?? []).map((container) => ({ ...container, env }));
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      uid,
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { "app.kubernetes.io/name": "bench", "app.kubernetes.io/instance": uid },
    },
    spec: { ...pod.spec, containers },
  };
}
