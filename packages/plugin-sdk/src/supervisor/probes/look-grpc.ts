import { type ClientHttp2Session, connect } from "node:http2";
import { isIPv6 } from "node:net";
import { connectWords } from "./look-tcp.ts";
import type { PodPort } from "./pod-port.ts";
import type { ProbeOutcome } from "./probe-worker.ts";

const STATUS_NAMES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const UNIMPLEMENTED = 12;

/** `grpc.health.v1.Health/Check` over plain HTTP/2; success is the answer SERVING. */
export async function lookGrpc(
  { host, port, open }: PodPort,
  service: string,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const address = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  if (open === undefined) return check(address, connect(`http://${address}`), service, signal);
  try {
    const connection = await open(signal);
    const session = connect(`http://${address}`, { createConnection: () => connection });
    return await check(address, session, service, signal);
  } catch (error) {
    return { ok: false, output: `dial tcp ${address}: ${connectWords(error)}` };
  }
}

function check(
  address: string,
  session: ClientHttp2Session,
  service: string,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const end = (outcome: ProbeOutcome) => {
      signal.removeEventListener("abort", abort);
      session.destroy();
      resolve(outcome);
    };
    const failed = (why: string) => end({ ok: false, output: why });
    const abort = () => failed(`timeout: health rpc to ${address} did not complete in time`);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) {
      abort();
      return;
    }
    session.once("error", (error) => failed(`dial tcp ${address}: ${connectWords(error)}`));
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": "kube-probe/1.31",
    });
    const chunks: Buffer[] = [];
    let grpcStatus: string | undefined;
    const readStatus = (headers: Record<string, unknown>) => {
      const value = headers["grpc-status"];
      if (typeof value === "string") grpcStatus = value;
    };
    stream.on("response", readStatus);
    stream.on("trailers", readStatus);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("error", (error) => failed(`health rpc to ${address}: ${connectWords(error)}`));
    stream.once("end", () => {
      const code = Number(grpcStatus ?? "2");
      if (code === UNIMPLEMENTED) {
        failed("this server does not implement the grpc health protocol (grpc.health.v1.Health)");
      } else if (code !== 0) {
        failed(`health rpc to ${address} ended with grpc status ${code}`);
      } else {
        const status = readServingStatus(Buffer.concat(chunks));
        if (status === 1) end({ ok: true, output: "service healthy" });
        else failed(`service unhealthy (responded with "${STATUS_NAMES[status] ?? status}")`);
      }
    });
    stream.end(checkRequest(service));
  });
}

/** A gRPC frame (flag, length) around the protobuf `HealthCheckRequest { string service = 1 }`. */
export function checkRequest(service: string): Buffer {
  const name = Buffer.from(service, "utf8");
  const message =
    name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a]), varint(name.length), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** `status` (field 1, varint) of a framed `HealthCheckResponse`; 0 when it is left out. */
export function readServingStatus(frame: Buffer): number {
  let at = 5;
  while (at < frame.length) {
    const [tag, afterTag] = readVarint(frame, at);
    const [value, afterValue] = readVarint(frame, afterTag);
    if (tag === 0x08) return value;
    // Other fields of a later version: skip what is length-delimited, else only the number.
    at = (tag & 7) === 2 ? afterValue + value : afterValue;
  }
  return 0;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function readVarint(buffer: Buffer, start: number): [value: number, next: number] {
  let value = 0;
  let at = start;
  for (let shift = 0; at < buffer.length && shift < 32; shift += 7) {
    const byte = buffer[at++] ?? 0;
    value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) === 0) break;
  }
  return [value >>> 0, at];
}
