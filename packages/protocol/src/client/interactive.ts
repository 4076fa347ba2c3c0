import { setMaxListeners } from "node:events";
import { ProtocolError } from "../errors.ts";
import type { MessageSocket } from "../streams/message-socket.ts";
import type {
  AttachRequest,
  ExecRequest,
  InteractiveRequest,
  PortConnection,
  PortForwardRequest,
  ProcessStreams,
} from "../streams/messages.ts";
import { portChannel } from "../streams/port-channel.ts";
import { processClient } from "../streams/process-client.ts";
import { attachQuery, execQuery, portForwardQuery } from "../streams/query.ts";
import type { Dialer } from "./dial.ts";
import type { OperationName } from "./headers.ts";
import type { CallOptions } from "./options.ts";

/** The interactive calls of the client. */
export interface Interactive {
  openStream(stream: InteractiveRequest, call?: CallOptions): Promise<MessageSocket>;
  exec(request: ExecRequest, call?: CallOptions): Promise<ProcessStreams>;
  attach(request: AttachRequest, call?: CallOptions): Promise<ProcessStreams>;
  portForward(request: PortForwardRequest, call?: CallOptions): Promise<PortConnection>;
}

export function createInteractive(dialer: Dialer, timeoutMs: number): Interactive {
  const openStream: Interactive["openStream"] = (stream, call = {}) =>
    dialer.dial({ ...exchangeOf(stream), timeoutMs }, call);
  const processOf = async (
    stream: Extract<InteractiveRequest, { type: "exec" | "attach" }>,
    { signal, ...call }: CallOptions,
  ): Promise<ProcessStreams> => {
    const socket = await openStream(stream, { ...call, ...(signal && { signal }) });
    const streams = processClient(socket, stream.request);
    onAbort(signal, socket, () => streams.close());
    return streams;
  };
  return {
    openStream,
    exec: (request, call = {}) => processOf({ type: "exec", request }, call),
    attach: (request, call = {}) => processOf({ type: "attach", request }, call),
    async portForward(request, call = {}) {
      const socket = await openStream({ type: "port-forward", request }, call);
      const connection = portChannel(socket);
      onAbort(call.signal, socket, () => {
        connection.destroy(new ProtocolError("aborted", "the caller gave up"));
      });
      return connection;
    },
  };
}

/** What opens the stream. */
function exchangeOf(stream: InteractiveRequest): {
  operation: OperationName;
  path: string;
  query: URLSearchParams;
} {
  if (stream.type === "exec") {
    return { operation: "Exec", path: "/exec", query: execQuery(stream.request) };
  }
  if (stream.type === "attach") {
    return { operation: "Attach", path: "/attach", query: attachQuery(stream.request) };
  }
  const query = portForwardQuery(stream.request);
  return { operation: "PortForward", path: "/port-forward", query };
}

/** Until the socket has closed. */
function onAbort(signal: AbortSignal | undefined, socket: MessageSocket, end: () => void): void {
  if (signal === undefined) return;
  if (signal.aborted) return end();
  setMaxListeners(0, signal);
  signal.addEventListener("abort", end, { once: true });
  socket.onClosed(() => signal.removeEventListener("abort", end));
}
