import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtobufDecoder } from "./decode.ts";

describe("protobuf", () => {
  it("reads what kubectl 1.32 sends for `create configmap a --from-literal=x=y`", () => {
    const bytes =
      "6b3873000a0f0a02763112 09436f6e6669674d6170 121b 0a11 0a0161 1200 1a00 2200 2a00 3200 3800 4200 1206 0a0178 120179 1a00 2200";
    const body = Buffer.from(bytes.replaceAll(" ", ""), "hex");
    expect(new ProtobufDecoder().decode(body)).toEqual({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "a" },
      data: { x: "y" },
    });
  });

  const field = (number: number, payload: Buffer): Buffer =>
    Buffer.concat([Buffer.from([number * 8 + 2, payload.length]), payload]);
  const envelope = (kind: string, raw: Uint8Array): Buffer => {
    const meta = Buffer.concat([field(1, Buffer.from("v1")), field(2, Buffer.from(kind))]);
    const length = [];
    for (let rest = raw.length; ; rest >>>= 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    return Buffer.concat([
      Buffer.from("k8s\0"),
      field(1, meta),
      Buffer.from([0x12, ...length]),
      raw,
    ]);
  };

  it("keeps a zero that was set and drops one that was not", () => {
    // PodSpec: terminationGracePeriodSeconds (4) is a pointer, hostNetwork (11) is not.
    const spec = Buffer.from([0x20, 0, 0x58, 0]);
    const decoded = new ProtobufDecoder().decode(envelope("Pod", field(2, spec)));
    expect(decoded.spec).toEqual({ terminationGracePeriodSeconds: 0 });
  });

  it("throws nothing but RangeError or SyntaxError on any bytes", () => {
    const kind = fc.constantFrom("Pod", "Job", "ConfigMap", "SubjectAccessReview", "Nonsense");
    fc.assert(
      fc.property(kind, fc.uint8Array({ maxLength: 200 }), fc.boolean(), (name, bytes, wrapped) => {
        try {
          new ProtobufDecoder().decode(wrapped ? envelope(name, bytes) : bytes);
        } catch (error) {
          const expected = error instanceof RangeError || error instanceof SyntaxError;
          if (!expected) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});
