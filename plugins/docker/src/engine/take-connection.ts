import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import type { EngineAddress } from "./engine-address.ts";
import { EngineError } from "./engine-error.ts";
import { refusal } from "./refusal.ts";

/**
 * Sends a request after which the engine leaves the connection to both sides (`Upgrade: tcp`), and gives that. Throws
 * `EngineError` if the engine answers with something else, the signal's reason, or the connection's error.
 */
export async function takeConnection(
  address: Exclude<EngineAddress, { kind: "ssh" }>,
  request: { method: string; path: string; body?: object },
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const options: https.RequestOptions = {
    method: request.method,
    path: request.path,
    // Never one of a pool: it will not come back.
    agent: false,
    headers: {
      connection: "Upgrade",
      upgrade: "tcp",
      "content-length": Buffer.byteLength(body ?? ""),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
  };
  const sent =
    address.kind === "unix"
      ? http.request({ ...options, socketPath: address.path, host: "docker" })
      : (address.tls === undefined ? http : https).request(address.origin, {
          ...options,
          ...address.tls,
        });
  const abort = (): void => void sent.destroy();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await new Promise<Socket>((resolve, reject) => {
      sent.on("upgrade", (_answer, socket: Socket, head) => {
        if (head.length > 0) socket.unshift(head);
        socket.setNoDelay(true);
        resolve(socket);
      });
      sent.on("response", (answer) => {
        refused(answer).then(reject, reject);
      });
      sent.on("error", reject);
      sent.end(body);
    });
  } catch (error) {
    sent.destroy();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function refused(answer: http.IncomingMessage): Promise<EngineError> {
  const { statusCode = 0 } = answer;
  if (statusCode >= 400) return refusal(statusCode, answer);
  answer.destroy();
  return new EngineError(
    "engine",
    `The engine does not hand over the connection (HTTP status ${statusCode}); is there a proxy before it that knows no upgrades?`,
  );
}
