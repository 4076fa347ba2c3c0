import { type Duplex, finished, type Writable } from "node:stream";
import type { PortConnection } from "@interlink/protocol";

/** A client's connection: its bytes, and a place for words about what went wrong. */
export interface ForwardPair {
  data: Duplex;
  error: Writable;
}

/**
 * Joins a client's connection with one into the pod, half-close both ways, until both have ended. Words are for a pod
 * that cannot be reached: kubectl gives up the whole port-forward after them, which a connection that merely broke is
 * not worth. Never rejects.
 */
export async function forwardPort(
  { data, error }: ForwardPair,
  connect: (signal: AbortSignal) => Promise<PortConnection>,
  failure: (problem: Error) => string,
): Promise<void> {
  const left = new AbortController();
  const leave = (): void => left.abort(new Error("the client left"));
  data.once("close", leave);
  if (data.destroyed) leave();
  try {
    const connection = await connect(left.signal);
    // From here on an end is not a failure: the rest is on its way to the pod.
    data.off("close", leave);
    await joined(data, connection);
  } catch (cause) {
    if (!data.destroyed) {
      error.write(failure(cause instanceof Error ? cause : new Error(String(cause))));
    }
    data.destroy();
  } finally {
    error.end();
  }
}

/** Rejects when the pod's side fails before it has said anything. */
function joined(data: Duplex, connection: PortConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    let open = 2;
    let heard = false;
    connection.once("data", () => {
      heard = true;
    });
    const settled = (problem?: Error): void => {
      data.unpipe(connection);
      connection.unpipe(data);
      connection.destroy();
      if (problem === undefined) resolve();
      else reject(problem);
    };
    finished(data, (error) => {
      open -= 1;
      // What the client broke off is of no use to the pod either.
      if (error || open === 0) settled();
    });
    finished(connection, (error) => {
      open -= 1;
      if (error && heard) data.destroy();
      if (error) settled(heard ? undefined : error);
      else if (open === 0) settled();
    });
    data.pipe(connection);
    connection.pipe(data);
  });
}
