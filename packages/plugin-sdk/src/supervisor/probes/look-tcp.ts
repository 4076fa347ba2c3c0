import { connect } from "node:net";
import type { ProbeOutcome } from "./probe-worker.ts";

/** Whether something listens. */
export function lookTcp(host: string, port: number, signal: AbortSignal): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (outcome: ProbeOutcome) => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      resolve(outcome);
    };
    const abort = () => end({ ok: false, output: `dial tcp ${host}:${port}: i/o timeout` });
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    socket.once("connect", () => end({ ok: true, output: "" }));
    socket.once("error", (error) =>
      end({ ok: false, output: `dial tcp ${host}:${port}: ${connectWords(error)}` }),
    );
  });
}

/** Why a connection failed, in the words that people know from a kubelet. */
export function connectWords(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ECONNREFUSED") return "connect: connection refused";
  if (code === "EHOSTUNREACH") return "connect: no route to host";
  if (code === "ECONNRESET") return "read: connection reset by peer";
  if (code === "ETIMEDOUT") return "i/o timeout";
  return error instanceof Error ? error.message : String(error);
}
