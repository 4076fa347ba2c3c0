import { once } from "node:events";
import { chmod, lstat, mkdir, rm } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { dirname, resolve } from "node:path";
import { PluginError } from "../plugin-error.ts";
import type { ListenAddress } from "./options.ts";

/** Listen, and say where. Throws `PluginError` `conflict` or `invalid` with what to do when that cannot be. */
export async function listenOn(server: Server, address: ListenAddress): Promise<string> {
  if ("port" in address) {
    await listening(server, { host: address.host, port: address.port }, address);
    const { port } = server.address() as AddressInfo;
    const host = address.host.includes(":") ? `[${address.host}]` : address.host;
    return `${address.tls === undefined ? "http" : "https"}://${host}:${port}`;
  }
  const path = resolve(address.unixSocket);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await removeStaleSocket(path);
  const mode = address.mode ?? 0o600;
  // The socket is made within this call, so the mask keeps others out from its first moment.
  const mask = process.umask(0o177);
  let listened: Promise<void>;
  try {
    listened = listening(server, { path }, address);
  } finally {
    process.umask(mask);
  }
  await listened;
  await chmod(path, mode);
  return `unix://${path}`;
}

async function listening(
  server: Server,
  where: { host: string; port: number } | { path: string },
  address: ListenAddress,
): Promise<void> {
  const ready = once(server, "listening");
  server.listen(where);
  try {
    await ready;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const text = "port" in address ? `${address.host}:${address.port}` : address.unixSocket;
    throw code === "EADDRINUSE"
      ? new PluginError(
          "conflict",
          `${text} is in use by another program. Stop it, or listen elsewhere.`,
        )
      : new PluginError("invalid", `Cannot listen on ${text}: ${message}.`, { cause: error });
  }
}

/** The socket of a process that was killed stays behind; one that answers is not ours to take. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new PluginError(
      "conflict",
      `${path} exists and is not a socket. Remove it, or listen elsewhere.`,
    );
  }
  if (await answers(path)) {
    throw new PluginError(
      "conflict",
      `${path} is in use by another program. Stop it, or listen elsewhere.`,
    );
  }
  await rm(path, { force: true });
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(5_000) });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Anything but a plain refusal (a full queue, no permission) means that someone may be there.
    return code !== "ECONNREFUSED" && code !== "ENOENT";
  } finally {
    socket.destroy();
  }
}
