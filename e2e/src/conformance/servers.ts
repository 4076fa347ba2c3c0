import { freePorts } from "../systems/free-ports.ts";

/** A port for a server in a pod: pods of the process plugin share this machine's. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** Shell that listens for ever, runs `perConnection` (no single quotes) for each connection, and may be stopped. */
export function listener(port: number, perConnection: string): string {
  return `exec busybox nc -ll -p ${port} -e sh -c '${perConnection}'`;
}

/**
 * Shell for one connection: answers any HTTP request so, and writes its first line into the log. `head` is the status
 * line's rest and further headers.
 */
export function httpAnswer(head = "200 OK"): string {
  const lines = [`HTTP/1.1 ${head}`, "Content-Length: 0", "Connection: close"].join("\\r\\n");
  return `read -r line; echo "$line" >&2; while read -r header && [ "\${#header}" -gt 1 ]; do :; done; printf "${lines}\\r\\n\\r\\n"`;
}

/** HTTP/2 frames as shell's printf wants them. */
function frame(type: number, flags: number, stream: number, payload: readonly number[]): number[] {
  return [0, 0, payload.length, type, flags, 0, 0, 0, stream, ...payload];
}

const text = (value: string): number[] => [value.length, ...Buffer.from(value)];

/**
 * Shell for one connection: answers a gRPC health check (`grpc.health.v1`) with a status of its enumeration, 1 being
 * SERVING. One canned answer for any request: the question is always the same.
 */
export function grpcHealthAnswer(status: number): string {
  const SETTINGS = 4;
  const HEADERS = 1;
  const DATA = 0;
  const END_HEADERS = 4;
  const bytes = [
    ...frame(SETTINGS, 0, 0, []),
    ...frame(SETTINGS, 1, 0, []),
    // `:status: 200` and `content-type`, which has the index 31 of the table of header names.
    ...frame(HEADERS, END_HEADERS, 1, [0x88, 0x0f, 0x10, ...text("application/grpc")]),
    ...frame(DATA, 0, 1, [0, 0, 0, 0, 2, 8, status]),
    ...frame(HEADERS, END_HEADERS | 1, 1, [0, ...text("grpc-status"), ...text("0")]),
  ];
  const octal = bytes.map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
  // The stream has to be open when it is answered; the client sends all of its question at once.
  return `echo call >&2; head -c 40 > /dev/null; sleep 0.3; printf "${octal}"; cat > /dev/null`;
}
