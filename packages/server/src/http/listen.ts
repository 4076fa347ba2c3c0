import { chmod, lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";
import type { FastifyInstance } from "fastify";
import type { ListenOptions } from "../options.ts";

/** Starts to listen; resolves with the address in the form that clients take. Throws with the reason. */
export async function listenOn(app: FastifyInstance, listen: ListenOptions): Promise<string> {
  if ("unixSocket" in listen) {
    await removeStaleSocket(listen.unixSocket);
    // From its first moment the socket is its owner's alone.
    const mask = process.umask(0o077);
    try {
      await app.listen({ path: listen.unixSocket });
    } finally {
      process.umask(mask);
    }
    await chmod(listen.unixSocket, listen.mode ?? 0o660);
    return `unix://${listen.unixSocket}`;
  }
  await app.listen({
    host: listen.host,
    port: listen.port,
    // Fastify does not see that its server speaks TLS.
    listenTextResolver: (address) =>
      `Server listening at ${listen.tls === undefined ? address : address.replace(/^http:/, "https:")}`,
  });
  const address = app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : listen.port;
  const host = listen.host.includes(":") ? `[${listen.host}]` : listen.host;
  return `${listen.tls === undefined ? "http" : "https"}://${host}:${port}`;
}

/** A socket file that a dead process left is in the way for ever; one that still answers belongs to somebody. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`${path} exists and is not a socket; choose another path`);
  if (await answers(path)) throw new Error(`another process already listens on ${path}`);
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, () => end(true));
    socket.once("connect", () => end(true));
    // Anything but a plain refusal (a full queue, no permission) means that someone may be there.
    socket.once("error", ({ code }: NodeJS.ErrnoException) =>
      end(code !== "ECONNREFUSED" && code !== "ENOENT"),
    );
  });
}
