import { Readable, Writable } from "node:stream";
import type { ProcessEnd, ProcessStreams } from "@interlink/protocol";
import { readLog } from "../logs/read-log.ts";
import type { StreamRequest } from "../runtime/container-runtime.ts";
import { consoleInput, endFrame, sizeFrame } from "./console.ts";

/** A running container as its log and the pipe of its input show it. */
export interface AttachedContainer {
  /** Has its stdout and stderr in one. */
  logFile: string;
  /** Bytes of the log that are older than this session. */
  from: number;
  /** Takes frames of `console.pl`; `undefined`: the container has no input. */
  pipe: Writable | undefined;
  isTerminal: boolean;
  /** Its input ends with the first session that ends its own. */
  isOnce: boolean;
  hasEnded: () => Promise<boolean>;
}

const CLOSED = "the streams were closed";

/**
 * Takes part in a running container: what it writes from now on, and its input if it has one. Ends with the container, as
 * a success, which is how a kubelet tells it.
 */
export function attachSession(
  { logFile, from, pipe, isTerminal, isOnce, hasEnded }: AttachedContainer,
  wanted: StreamRequest,
): ProcessStreams {
  const closing = new AbortController();
  const stdin = wanted.stdin ? inputOf(pipe, isOnce) : undefined;
  const lines = readLog(
    logFile,
    { follow: true, timestamps: false },
    { signal: closing.signal, ended: hasEnded, from },
  );
  const log = Readable.from(lines, { objectMode: false });
  let settle: (end: ProcessEnd) => void = () => undefined;
  const ended = new Promise<ProcessEnd>((resolve) => {
    settle = resolve;
  });
  log.once("end", () => settle({ exitCode: 0 }));
  log.on("error", (error) => {
    settle({ error: error.message });
  });
  log.once("close", () => {
    pipe?.destroy();
    settle({ error: CLOSED });
  });
  if (!wanted.stdout && !wanted.stderr) log.resume();
  const isOnStdout = wanted.stdout;
  const none = (): Readable => Readable.from([]);
  return {
    ...(stdin && { stdin }),
    ...(wanted.stdout && { stdout: log }),
    ...(wanted.stderr && !wanted.tty && { stderr: isOnStdout ? none() : log }),
    resize(size) {
      if (isTerminal) pipe?.write(sizeFrame(size));
    },
    ended,
    close() {
      settle({ error: CLOSED });
      closing.abort(new Error(CLOSED));
      pipe?.destroy();
      log.destroy();
    },
  };
}

/** A container without an input takes none, and says nothing of it, as engines do. */
function inputOf(pipe: Writable | undefined, isOnce: boolean): Writable {
  if (pipe === undefined) return new Writable({ write: (_chunk, _encoding, done) => done() });
  return consoleInput(pipe, isOnce ? endFrame() : undefined);
}
