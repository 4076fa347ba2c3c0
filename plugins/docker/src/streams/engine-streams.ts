import { Duplex, Readable, Writable } from "node:stream";
import type { StreamRequest } from "@interlink/plugin-sdk";
import type { ProcessEnd, ProcessStreams, TerminalSize } from "@interlink/protocol";
import { Demultiplexer } from "../logs/demultiplexer.ts";

/** What is behind a connection to the engine: an exec'd process, or a container's own. */
export interface StreamedProcess {
  /** Whether it has a terminal, whose output comes as it is; otherwise the two outputs come as messages. */
  terminal: boolean;
  resize(size: TerminalSize): void;
  /** How it has ended, after its output has. May fail. */
  end(): Promise<ProcessEnd>;
  /** Its streams are let go of before that. */
  left(): void;
}

/** The streams of a process, out of the connection that the engine has handed over. Without stdin it need only be read. */
export function engineStreams(
  connection: Readable,
  wanted: Pick<StreamRequest, "stdin" | "stdout" | "stderr">,
  process: StreamedProcess,
): ProcessStreams {
  const outputs = new Outputs(connection, wanted, process.terminal);
  const stdin = wanted.stdin && connection instanceof Duplex ? input(connection) : undefined;
  let open = true;
  let settle: (end: ProcessEnd) => void = () => undefined;
  const ended = new Promise<ProcessEnd>((resolve) => {
    settle = resolve;
  });
  /** False if it was over before. */
  const finish = (): boolean => {
    if (!open) return false;
    open = false;
    stdin?.destroy();
    return true;
  };
  const cut = (error: Error): void => {
    if (!finish()) return;
    connection.destroy();
    outputs.destroy(error);
    settle({ error: error.message });
    process.left();
  };
  outputs.failed = cut;
  connection.on("end", () => {
    if (!finish()) return;
    outputs.end();
    connection.destroy();
    process.end().then(settle, (error: unknown) => settle({ error: wordsOf(error) }));
  });
  connection.on("error", cut);
  connection.on("close", () => cut(new Error("The connection to the container engine was cut.")));
  return {
    ...(stdin !== undefined && { stdin }),
    ...(outputs.stdout !== undefined && { stdout: outputs.stdout }),
    ...(outputs.stderr !== undefined && { stderr: outputs.stderr }),
    ended,
    resize: (size) => {
      if (open && process.terminal) process.resize(size);
    },
    close: () => {
      outputs.destroy();
      if (!finish()) return;
      connection.destroy();
      settle({ error: "The streams were let go of before the end." });
      process.left();
    },
  };
}

/** Takes the engine's stream apart, no faster than the slowest reader. */
class Outputs {
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  failed: (error: Error) => void = () => undefined;
  readonly #connection: Readable;
  readonly #demultiplexer: Demultiplexer | undefined;
  /** Outputs that take no more for now. */
  readonly #full = new Set<Readable>();

  constructor(
    connection: Readable,
    wanted: Pick<StreamRequest, "stdout" | "stderr">,
    terminal: boolean,
  ) {
    this.#connection = connection;
    this.#demultiplexer = terminal ? undefined : new Demultiplexer();
    this.stdout = wanted.stdout ? this.#output() : undefined;
    this.stderr = wanted.stderr ? this.#output() : undefined;
    connection.on("data", (chunk: Buffer) => this.#take(chunk));
  }

  end(): void {
    this.stdout?.push(null);
    this.stderr?.push(null);
  }

  destroy(error?: Error): void {
    this.stdout?.destroy(error);
    this.stderr?.destroy(error);
  }

  #take(chunk: Buffer): void {
    try {
      if (this.#demultiplexer === undefined) return this.#give(this.stdout, chunk);
      for (const { source, bytes } of this.#demultiplexer.push(chunk)) {
        if (source === "error") throw new Error(Buffer.from(bytes).toString("utf8"));
        this.#give(source === "stdout" ? this.stdout : this.stderr, bytes);
      }
    } catch (error) {
      this.failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #give(output: Readable | undefined, bytes: Uint8Array): void {
    if (output === undefined || output.destroyed || output.push(bytes)) return;
    this.#full.add(output);
    this.#connection.pause();
  }

  #output(): Readable {
    const empty = (output: Readable): void => {
      this.#full.delete(output);
      if (this.#full.size === 0) this.#connection.resume();
    };
    const output = new Readable({
      read() {
        empty(this);
      },
      destroy(error, done) {
        empty(this);
        done(error);
      },
    });
    // Also seen by who waits for the end.
    output.on("error", () => undefined);
    return output;
  }
}

function input(connection: Duplex): Writable {
  const stdin = new Writable({
    write: (chunk: Buffer, _, done) => void connection.write(chunk, done),
    final: (done) => void connection.end(() => done()),
  });
  // What is written after the end is lost, as in a pipe that nobody reads.
  stdin.on("error", () => undefined);
  return stdin;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
