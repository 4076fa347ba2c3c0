import { constants, open as openFile } from "node:fs";
import { stat } from "node:fs/promises";
import { Socket } from "node:net";
import { promisify } from "node:util";
import type { StreamRequest } from "@interlink/plugin-sdk";
import { attachSession, RuntimeError } from "@interlink/plugin-sdk";
import type { ProcessStreams } from "@interlink/protocol";
import type { ProcessContainer } from "./process-container.ts";

/** Takes part in a running container, see `attachSession`. Throws `RuntimeError` `NotRunning`. */
export async function attachTo(
  container: ProcessContainer,
  wanted: StreamRequest,
): Promise<ProcessStreams> {
  const { info, files } = container;
  // Looked at before anything is sent to it: what it answers is seen.
  const from = await sizeOf(info.logFile);
  return attachSession(
    {
      logFile: info.logFile,
      from,
      pipe: info.console === undefined ? undefined : await openInput(files.stdin),
      isTerminal: info.console === "tty",
      isOnce: info.stdinOnce === true,
      hasEnded: async () => (await container.observe()).state === "exited",
    },
    wanted,
  );
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
