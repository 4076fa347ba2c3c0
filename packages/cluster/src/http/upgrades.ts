import { type IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:https";
import type { Duplex } from "node:stream";

/** A connection that asks to speak something else from now on. */
export interface Upgrade {
  /** Lets go of the response and gives the connection, with what already came after the request. Once. */
  take(): { socket: Duplex; head: Buffer };
}

/**
 * Leads requests for an upgrade through `handle` like every other, so that they are authenticated and authorized the
 * same way; a handler that can upgrades them, any other answers as if nothing had been asked.
 */
export function handleUpgrades(
  server: Server,
  handle: (request: IncomingMessage, response: ServerResponse, upgrade?: Upgrade) => void,
): void {
  server.on("upgrade", (request, socket: Duplex, head) => {
    // One that is reset while it is looked at must not end the process.
    socket.on("error", () => socket.destroy());
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(request.socket);
    const bye = (): void => void socket.end(() => socket.destroy());
    response.once("finish", bye);
    const { "content-length": length = "0", "transfer-encoding": encoding } = request.headers;
    if (length !== "0" || encoding !== undefined) {
      // It would never come: what follows is no body.
      response.writeHead(400, { "content-type": "text/plain" }).end("an upgrade has no body\n");
      return;
    }
    handle(request, response, {
      take() {
        response.detachSocket(request.socket);
        return { socket, head };
      },
    });
  });
}
