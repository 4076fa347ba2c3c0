import { ProtocolError } from "../errors.ts";

/**
 * What undici, the socket or TLS threw, as one of ours. When the call's own signal fired, its reason (`timeout` or
 * `aborted`) is the truth, whatever was thrown in consequence.
 */
export function transportError(error: unknown, signal: AbortSignal, what: string): ProtocolError {
  if (signal.aborted && signal.reason instanceof ProtocolError) return signal.reason;
  if (error instanceof ProtocolError) return error;
  const { code = "", message = String(error) } = (error ?? {}) as {
    code?: string;
    message?: string;
  };
  const details = { cause: error };
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT") {
    return new ProtocolError("timeout", `${what}: the peer fell silent`, details);
  }
  if (code === "UND_ERR_DESTROYED" || code === "UND_ERR_CLOSED") {
    return new ProtocolError("aborted", `${what}: the client was closed`, details);
  }
  if (code === "UND_ERR_HEADERS_OVERFLOW" || code.startsWith("HPE_")) {
    return new ProtocolError("bad-answer", `${what}: the peer does not speak HTTP`, details);
  }
  // AggregateError of happy eyeballs has an empty message; its code says enough.
  const said = message === "" ? code : message;
  return new ProtocolError("unreachable", `${what}: ${said || "the connection failed"}`, details);
}
