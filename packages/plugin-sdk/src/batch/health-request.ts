import { checkRequest } from "../supervisor/probes/look-grpc.ts";

/** All of the question has to fit into one frame of HTTP/2, which no server refuses up to 16,384 bytes. */
export const MOST_SERVICE_BYTES = 16_000;

const FRAME = { data: 0, headers: 1, settings: 4 } as const;
const END_STREAM = 1;
const END_HEADERS = 4;
const NO_PUSH = Buffer.from([0, 2, 0, 0, 0, 0]);

/**
 * All that a client sends for `grpc.health.v1.Health/Check` over plain HTTP/2 (RFC 9113, section 3.3): what a connection
 * begins with, and one request, which is over. The script acknowledges the server's settings by itself. `undefined` for a
 * service's name of more than {@link MOST_SERVICE_BYTES}.
 */
export function healthRequest(authority: string, service: string): Buffer | undefined {
  if (Buffer.byteLength(service) > MOST_SERVICE_BYTES) return undefined;
  const fields = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", "/grpc.health.v1.Health/Check"],
    [":authority", authority],
    ["content-type", "application/grpc"],
    ["user-agent", "kube-probe/1.31"],
    ["te", "trailers"],
  ] as const;
  return Buffer.concat([
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    frame(FRAME.settings, 0, 0, NO_PUSH),
    frame(FRAME.headers, END_HEADERS, 1, Buffer.concat(fields.map(headerField))),
    frame(FRAME.data, END_STREAM, 1, checkRequest(service)),
  ]);
}

/** As bash's `printf %b` takes bytes: it can hold no NUL itself. */
export function printable(bytes: Buffer): string {
  return bytes.toString("hex").replace(/../g, "\\x$&");
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A literal that nobody remembers, with a name of its own (RFC 7541, section 6.2.2); both are below 127 bytes. */
function headerField([name, value]: readonly [name: string, value: string]): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
}
