import { connect } from "node:net";
import type { PodPort } from "./pod-port.ts";
import type { ProbeOutcome } from "./probe-worker.ts";

/** Whether something listens. */
export function lookTcp(target: PodPort, signal: AbortSignal): Promise<ProbeOutcome> {
  const { host, port, open } = target;
  return open === undefined ? dial(host, port, signal) : openOnce(target, open, signal);
}

async function openOnce(
  { host, port }: PodPort,
  open: NonNullable<PodPort["open"]>,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  try {
    const connection = await open(signal);
    // How it ends is nobody's concern any more.
    connection.on("error", () => undefined);
    connection.destroy();
    return { ok: true, output: "" };
  } catch (error) {
    const why = signal.aborted ? "i/o timeout" : connectWords(error);
    return { ok: false, output: `dial tcp ${host}:${port}: ${why}` };
  }
}

function dial(host: string, port: number, signal: AbortSignal): Promise<ProbeOutcome> {
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
  // `NotRunning`: a runtime's word for it.
  if (code === "ECONNREFUSED" || code === "NotRunning") return "connect: connection refused";
  if (code === "EHOSTUNREACH") return "connect: no route to host";
  if (code === "ECONNRESET") return "read: connection reset by peer";
  if (code === "ETIMEDOUT") return "i/o timeout";
  return error instanceof Error ? error.message : String(error);
}
