import { once } from "node:events";
import { createConnection } from "node:net";
import { Duplex, type Readable, type Writable } from "node:stream";
import { RuntimeError } from "@interlink/plugin-sdk";
import type { PortConnection, ProcessEnd, ProcessStreams } from "@interlink/protocol";
import { deadline } from "../engine/deadline.ts";
import { loopbackAddress } from "../sandbox/relay-binary.ts";

/** Begins the relay program (`relay-binary.ts`) in the sandbox of a pod. */
export type OpenRelay = (signal: AbortSignal) => Promise<ProcessStreams>;

export interface PortTarget {
  openRelay: OpenRelay;
  /** For sandboxes without that program: where this host reaches what does not listen on loopback alone. */
  address: () => Promise<string | undefined>;
  port: number;
}

/** What a shell, or an engine, answers for a program that is not there. */
const NO_PROGRAM = [126, 127];
const CONNECTION_REFUSED = 111;
const CONNECT_MS = 30_000;

/**
 * A connection to a port on the pod's loopback, IPv4 first, as kubelets do. Throws `RuntimeError`: `NotRunning` when
 * nobody listens there.
 */
export async function connect(target: PortTarget, signal: AbortSignal): Promise<PortConnection> {
  using limit = deadline(signal, CONNECT_MS);
  const { openRelay, port } = target;
  for (const family of ["IPv4", "IPv6"] as const) {
    const answer = await throughRelay(openRelay, family, port, limit.signal);
    if (answer instanceof Duplex) return answer;
    if (hasCode(answer, ...NO_PROGRAM)) return await direct(target, limit.signal);
    if (!hasCode(answer, CONNECTION_REFUSED) && family === "IPv4") throw noConnection(port, answer);
  }
  throw new RuntimeError("NotRunning", `Nothing listens on port ${port} in the pod: refused.`);
}

async function throughRelay(
  openRelay: OpenRelay,
  family: "IPv4" | "IPv6",
  port: number,
  signal: AbortSignal,
): Promise<Duplex | ProcessEnd> {
  const streams = await openRelay(signal);
  const { stdin, stdout, stderr } = streams;
  if (stdin === undefined || stdout === undefined) throw new Error("The relay has no streams.");
  // The engine's words when there is no such program; the exit code says it, too.
  stderr?.resume();
  const abort = (): void => streams.close();
  signal.addEventListener("abort", abort, { once: true });
  try {
    stdin.write(loopbackAddress(family, port));
    const first = await firstByte(stdout);
    signal.throwIfAborted();
    if (first) return new RelayedConnection(streams, stdin, stdout);
    const end = await streams.ended;
    streams.close();
    return end;
  } catch (error) {
    streams.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Waits for the byte that says "connected", and takes it away. False: the output has ended without. */
async function firstByte(stdout: Readable): Promise<boolean> {
  for (;;) {
    if ((stdout.read(1) as Buffer | null) !== null) return true;
    if (stdout.readableEnded || stdout.destroyed) return false;
    const woken = new AbortController();
    try {
      await Promise.race(
        ["readable", "end", "close"].map((event) => once(stdout, event, { signal: woken.signal })),
      );
    } catch {
      return false;
    } finally {
      woken.abort();
    }
  }
}

async function direct({ address, port }: PortTarget, signal: AbortSignal): Promise<PortConnection> {
  const host = await address();
  if (host === undefined) {
    throw new RuntimeError("NotRunning", "The pod has no network that can be reached from here.");
  }
  const socket = createConnection({ host, port, allowHalfOpen: true });
  socket.setNoDelay(true);
  try {
    await once(socket, "connect", { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw signal.aborted ? error : noConnection(port, { error: (error as Error).message });
  }
}

/** The relay's input and output as one stream that can be half-closed from both sides. */
class RelayedConnection extends Duplex {
  readonly #streams: ProcessStreams;
  readonly #stdin: Writable;
  readonly #stdout: Readable;

  constructor(streams: ProcessStreams, stdin: Writable, stdout: Readable) {
    super({ allowHalfOpen: true });
    this.#streams = streams;
    this.#stdin = stdin;
    this.#stdout = stdout;
    stdout.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) stdout.pause();
    });
    void this.#end();
  }

  async #end(): Promise<void> {
    const end = await this.#streams.ended;
    if (hasCode(end, 0)) this.push(null);
    else this.destroy(new Error(`The connection to the pod broke: ${wordsOf(end)}.`));
  }

  override _read(): void {
    this.#stdout.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    // Nobody reads at the other end any more; what was read from it still counts.
    if (this.#stdin.destroyed) done();
    else this.#stdin.write(chunk, () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#stdin.destroyed) done();
    else this.#stdin.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#streams.close();
    done(error);
  }
}

function hasCode(end: ProcessEnd, ...codes: number[]): boolean {
  return "exitCode" in end && codes.includes(end.exitCode);
}

function noConnection(port: number, end: ProcessEnd): RuntimeError {
  return new RuntimeError(
    "NotRunning",
    `No connection to port ${port} in the pod: ${wordsOf(end)}.`,
  );
}

function wordsOf(end: ProcessEnd): string {
  return "error" in end ? end.error : `error ${end.exitCode} of the system`;
}
