import { constants, open as openFile } from "node:fs";
import { stat } from "node:fs/promises";
import { Socket } from "node:net";
import { Readable, Writable } from "node:stream";
import { promisify } from "node:util";
import type { StreamRequest } from "@interlink/plugin-sdk";
import { consoleInput, endFrame, RuntimeError, readLog, sizeFrame } from "@interlink/plugin-sdk";
import type { ProcessEnd, ProcessStreams } from "@interlink/protocol";
import type { ProcessContainer } from "./process-container.ts";

const CLOSED = "the streams were closed";

/**
 * Takes part in a running container: what it writes from now on (its log has stdout and stderr in one), and its input if
 * it has one. Ends with the container, as a success, which is how a kubelet tells it. Throws `RuntimeError` `NotRunning`.
 */
export async function attachSession(
  container: ProcessContainer,
  wanted: StreamRequest,
): Promise<ProcessStreams> {
  const { info, files } = container;
  const closing = new AbortController();
  // Looked at before anything is sent to it: what it answers is seen.
  const from = await sizeOf(info.logFile);
  const pipe = info.console === undefined ? undefined : await openInput(files.stdin);
  const stdin = wanted.stdin ? inputOf(pipe, info.stdinOnce === true) : undefined;
  const output = wanted.stdout || wanted.stderr;
  const hasEnded = async () => (await container.observe()).state === "exited";
  const lines = readLog(
    info.logFile,
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
  if (!output) log.resume();
  const isOnStdout = wanted.stdout;
  const none = (): Readable => Readable.from([]);
  return {
    ...(stdin && { stdin }),
    ...(wanted.stdout && { stdout: log }),
    ...(wanted.stderr && !wanted.tty && { stderr: isOnStdout ? none() : log }),
    resize(size) {
      if (info.console === "tty") pipe?.write(sizeFrame(size));
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

/** A pipe that many write to; never waited for, for its reader may have ended. */
async function openInput(path: string): Promise<Socket> {
  let fd: number;
  try {
    fd = await promisify(openFile)(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new RuntimeError("NotRunning", "The container's input is gone.", { cause });
  }
  const socket = new Socket({ fd, readable: false, writable: true });
  socket.on("error", () => socket.destroy());
  return socket;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}
