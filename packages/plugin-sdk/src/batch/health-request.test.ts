import fc from "fast-check";
import { expect, test } from "vitest";
import { checkRequest } from "../supervisor/probes/look-grpc.ts";
import { healthRequest, MOST_SERVICE_BYTES, printable } from "./health-request.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

interface Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
}

/** The frames behind the preface. */
function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = PREFACE.length; at < bytes.length; ) {
    const size = bytes.readUIntBE(at, 3);
    frames.push({
      type: bytes.readUInt8(at + 3),
      flags: bytes.readUInt8(at + 4),
      stream: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, at + 9 + size),
    });
    at += 9 + size;
  }
  return frames;
}

/** Names and values of a header block of plain literals. */
function fieldsOf(block: Buffer): string[][] {
  const fields: string[][] = [];
  for (let at = 0; at < block.length; ) {
    if (block[at] !== 0) throw new Error("no plain literal");
    const name = block.subarray(at + 2, (at += 2 + block.readUInt8(at + 1)));
    const value = block.subarray(at + 1, (at += 1 + block.readUInt8(at)));
    fields.push([String(name), String(value)]);
  }
  return fields;
}

test("a health request is one connection's beginning and one stream, whatever the service is called", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), fc.nat(65_535), (service, port) => {
      const bytes = healthRequest(`127.0.0.1:${port}`, service) ?? Buffer.alloc(0);
      expect(String(bytes.subarray(0, PREFACE.length))).toBe(PREFACE);
      const [settings, headers, data, ...rest] = framesOf(bytes);
      expect(rest).toEqual([]);
      expect(settings).toMatchObject({ type: 4, flags: 0, stream: 0 });
      expect(headers).toMatchObject({ type: 1, flags: 4, stream: 1 });
      expect(data).toMatchObject({ type: 0, flags: 1, stream: 1 });
      expect(data?.payload.equals(checkRequest(service))).toBe(true);
      expect(fieldsOf(headers?.payload ?? Buffer.alloc(0))).toEqual([
        [":method", "POST"],
        [":scheme", "http"],
        [":path", "/grpc.health.v1.Health/Check"],
        [":authority", `127.0.0.1:${port}`],
        ["content-type", "application/grpc"],
        ["user-agent", "kube-probe/1.31"],
        ["te", "trailers"],
      ]);
    }),
  );
});

test("a service's name may be so long that all of it is one frame", () => {
  const longest = healthRequest("x", "ä".repeat(MOST_SERVICE_BYTES / 2)) ?? Buffer.alloc(0);
  const frames = framesOf(longest);
  expect(Math.max(...frames.map(({ payload }) => payload.length))).toBeLessThanOrEqual(16_384);
  expect(healthRequest("x", `${"ä".repeat(MOST_SERVICE_BYTES / 2)}a`)).toBeUndefined();
});

test("bytes are written for printf, each as an escape", () => {
  expect(printable(Buffer.from([0, 10, 37, 92, 255]))).toBe("\\x00\\x0a\\x25\\x5c\\xff");
});
