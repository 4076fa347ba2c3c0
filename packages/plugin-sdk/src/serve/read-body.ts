import type { IncomingMessage } from "node:http";
import { ProtocolError, parseJson } from "@interlink/protocol";

/**
 * The JSON body of a request, of any method and content type: GET has one on this wire. `undefined` when there is none.
 * Throws ProtocolError `too-large`, `malformed` or `aborted`. What is over the limit is read and thrown away, or the
 * refusal could not be sent over the same connection.
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<unknown> {
  const body = await new Promise<Buffer>((resolve, reject) => {
    let pieces: Buffer[] = [];
    let size = 0;
    request.on("data", (piece: Buffer) => {
      size += piece.length;
      if (size <= limit) {
        pieces.push(piece);
        return;
      }
      pieces = [];
      reject(new ProtocolError("too-large", `the body is larger than ${limit} bytes`));
    });
    request.once("end", () => resolve(Buffer.concat(pieces)));
    request.once("error", () => reject(left()));
    request.once("close", () => {
      // An error is much work, and closed they all are in the end.
      if (!request.readableEnded) reject(left());
    });
  });
  return body.length === 0 ? undefined : parseJson(body);
}

function left(): ProtocolError {
  return new ProtocolError("aborted", "the caller left before its request was complete");
}
