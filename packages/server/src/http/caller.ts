import { setMaxListeners } from "node:events";
import { ProtocolError } from "@interlink/protocol";
import type { FastifyReply } from "fastify";

/** A signal that fires when the caller has gone before its answer was complete, or when one of `others` fires. */
export function callerSignal(reply: FastifyReply, ...others: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  const { raw } = reply;
  const onOther = (): void =>
    controller.abort(new ProtocolError("unavailable", "the API server is stopping"));
  for (const other of others) {
    if (other.aborted) onOther();
    else {
      // One listener per request in work is no leak.
      setMaxListeners(0, other);
      other.addEventListener("abort", onOther, { once: true });
    }
  }
  const onClose = (): void => {
    for (const other of others) other.removeEventListener("abort", onOther);
    if (!raw.writableFinished) {
      controller.abort(new ProtocolError("aborted", "the caller left"));
    }
  };
  if (raw.closed) onClose();
  else raw.once("close", onClose);
  return controller.signal;
}
