import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";

const OF_THE_UPGRADE = /^(upgrade|connection|http2-settings)$/i;

/**
 * Serves a request that asks for another protocol (some HTTP clients ask for h2c with their first request) as if it
 * had not asked, which is what HTTP wants of a server that does not care. Once a server listens for upgrades, Node hands
 * such a request over without its body; so its head is put back in front of what has come, and read again.
 */
export function ignoreUpgrade(
  server: Server,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  const { rawHeaders } = request;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (!OF_THE_UPGRADE.test(name)) lines.push(`${name}: ${rawHeaders[at + 1]}`);
  }
  // Once per connection: each reading leaves its listeners on the socket.
  lines.push("Connection: close", "", "");
  socket.unshift(Buffer.concat([Buffer.from(lines.join("\r\n"), "latin1"), head]));
  server.emit("encrypted" in socket ? "secureConnection" : "connection", socket);
}
