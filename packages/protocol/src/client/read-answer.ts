import { ProtocolError } from "../errors.ts";
import { parseJson } from "../read/json.ts";
import { withoutWrapping } from "./peer-error.ts";

/** An answer of 2xx; one that an old API server took for an error, because it is not 200, is still the plugin's answer. */
export function peerJson(answer: Buffer): unknown {
  const wrapped = answer.subarray(0, 5).toString("latin1") === "HTTP ";
  return parseJson(wrapped ? Buffer.from(withoutWrapping(answer.toString("utf8"))) : answer);
}

/** 2xx with something unreadable is the peer's fault, not the request's. */
export function understood<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { message } = ProtocolError.from(error);
    throw new ProtocolError("bad-answer", `${what}: the peer's answer is wrong: ${message}`, {
      cause: error,
    });
  }
}

/** Peers without the extension have no such path; some answer it with text that is not the message. */
export function saysBaseProtocol(error: unknown): boolean {
  if (!(error instanceof ProtocolError)) return false;
  if (error.code === "bad-answer") return true;
  return (
    error.code === "refused" &&
    (error.httpStatus === 404 || error.httpStatus === 405 || error.httpStatus === 501)
  );
}
