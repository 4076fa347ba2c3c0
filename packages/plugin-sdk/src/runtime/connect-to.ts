import { connect } from "node:net";
import type { PortConnection } from "@interlink/protocol";
import { RuntimeError } from "./runtime-error.ts";

const DEADLINE_MS = 10_000;

/**
 * A connection to a port of the host that a pod shares its network with. Throws `RuntimeError` `NotRunning` when nothing
 * listens there, or nothing answers for ten seconds.
 */
export function connectTo(
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<PortConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, allowHalfOpen: true });
    const fail = (why: string, cause?: unknown): void => {
      settled();
      socket.destroy();
      const words = `Port ${port} of the pod cannot be connected to: ${why}`;
      reject(new RuntimeError("NotRunning", words, { cause }));
    };
    const giveUp = (): void => fail("the caller gave up", signal.reason);
    const failed = (error: NodeJS.ErrnoException): void =>
      fail(error.code === "ECONNREFUSED" ? "connection refused" : error.message, error);
    const timer = setTimeout(() => fail("no answer"), DEADLINE_MS);
    const settled = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      socket.off("error", failed);
    };
    signal.addEventListener("abort", giveUp);
    socket.once("error", failed);
    socket.once("connect", () => {
      settled();
      resolve(socket);
    });
    if (signal.aborted) giveUp();
  });
}
