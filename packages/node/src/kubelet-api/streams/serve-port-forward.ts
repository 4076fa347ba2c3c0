import type { PortConnection } from "@interlink/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Pod } from "kubernetes-types/core/v1.js";
import { createWebSocketStream } from "ws";
import { queryOf } from "../routes.ts";
import { type ForwardPair, forwardPort } from "./forward-port.ts";
import {
  PORT_FORWARD_TUNNEL,
  spdyPortForwardProtocol,
  webSocketPortForwardProtocol,
} from "./protocols.ts";
import type { ServeParts } from "./serve-command.ts";
import { spdyPortForward } from "./spdy-port-forward.ts";
import { webSocketPortForward, webSocketPorts } from "./web-socket-port-forward.ts";

type Dial = (port: number, signal: AbortSignal) => Promise<PortConnection>;

/**
 * Upgrades the connection and forwards what the client opens on it, until it leaves. Throws KubeletError before the
 * upgrade.
 */
export async function servePortForward(
  { upgrades, streamsMs, logger }: ServeParts,
  request: FastifyRequest,
  reply: FastifyReply,
  pod: Pod,
  dial: Dial,
): Promise<void> {
  const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
  const forward = async (port: number, pair: ForwardPair): Promise<void> =>
    forwardPort(
      pair,
      async (signal) => dial(port, signal),
      ({ message }) =>
        `error forwarding port ${port} to pod ${name}_${namespace}, uid ${uid}: ${message}`,
    );
  const over = (problem: unknown): void => {
    logger.debug(
      { err: problem, pod: `${namespace}/${name}`, uid, path: request.url },
      "a port-forward ended early",
    );
  };
  if (upgrades.kindOf(request) === "spdy") {
    const header = request.headers["x-stream-protocol-version"];
    const protocol = spdyPortForwardProtocol(header?.toString());
    const socket = upgrades.takeSpdy(request, reply, protocol);
    return spdyPortForward(socket, streamsMs, (port, pair) => void forward(port, pair));
  }
  const protocol = webSocketPortForwardProtocol(request.headers["sec-websocket-protocol"]);
  const isTunnel = protocol.name === PORT_FORWARD_TUNNEL;
  const ports = isTunnel ? [] : webSocketPorts(queryOf(request));
  const opening = upgrades.takeWebSocket(request, reply, protocol.name);
  try {
    const webSocket = await opening;
    if (!isTunnel) return await webSocketPortForward(webSocket, protocol, ports, forward);
    const tunnel = createWebSocketStream(webSocket);
    await spdyPortForward(tunnel, streamsMs, (port, pair) => void forward(port, pair));
  } catch (error) {
    over(error);
  }
  return undefined;
}
