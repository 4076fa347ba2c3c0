import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeFrame, encodeData, encodeHalfClose, piecesOf } from "./frame.ts";
import { readProcessEnd, writeProcessEnd } from "./process-end.ts";
import {
  attachQuery,
  execQuery,
  portForwardQuery,
  readAttachQuery,
  readExecQuery,
  readPortForwardQuery,
} from "./query.ts";

const channel = fc.integer({ min: 0, max: 254 });
const bytes = fc.uint8Array({ maxLength: 300 });

describe("the channel codec", () => {
  it("gives back every channel and every byte", () => {
    fc.assert(
      fc.property(channel, bytes, (number, data) => {
        const frame = decodeFrame(encodeData(number, data));
        expect(frame).toEqual({ type: "data", channel: number, data: Buffer.from(data) });
      }),
    );
  });

  it("gives back every half-close", () => {
    fc.assert(
      fc.property(channel, (number) => {
        expect(decodeFrame(encodeHalfClose(number))).toEqual({
          type: "half-close",
          channel: number,
        });
      }),
    );
  });

  it("reads any bytes as a frame or as none, and never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), (data) => {
        const frame = decodeFrame(Buffer.from(data));
        const isNone = data.length === 0 || (data[0] === 255 && data.length !== 2);
        expect(frame === undefined).toBe(isNone);
      }),
    );
  });

  it("cuts data into pieces that make it up again", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300_000 }), (length) => {
        const data = Buffer.alloc(length, "x");
        expect(Buffer.concat([...piecesOf(data)]).equals(data)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});

describe("the end of a process", () => {
  it("has the words of a kubelet", () => {
    expect(writeProcessEnd({ exitCode: 0 })).toBe('{"metadata":{},"status":"Success"}');
    expect(JSON.parse(writeProcessEnd({ exitCode: 7 }))).toEqual({
      metadata: {},
      status: "Failure",
      message: "command terminated with non-zero exit code: exit status 7",
      reason: "NonZeroExitCode",
      details: { causes: [{ reason: "ExitCode", message: "7" }] },
    });
    expect(JSON.parse(writeProcessEnd({ error: "it broke" }))).toEqual({
      metadata: {},
      status: "Failure",
      message: "it broke",
      reason: "InternalError",
      details: { causes: [{ message: "it broke" }] },
      code: 500,
    });
  });

  it("is read back as it was written", () => {
    const end = fc.oneof(
      fc.record({ exitCode: fc.integer({ min: 0, max: 255 }) }),
      fc.record({ error: fc.string({ minLength: 1 }) }),
    );
    fc.assert(
      fc.property(end, (one) => {
        expect(readProcessEnd(Buffer.from(writeProcessEnd(one)))).toEqual(one);
      }),
    );
  });

  it("is an error when a failure has no number", () => {
    const failure = { status: "Failure", reason: "NonZeroExitCode", message: "gone" };
    expect(readProcessEnd(Buffer.from(JSON.stringify(failure)))).toEqual({ error: "gone" });
  });
});

const pod = { Namespace: "default", PodName: "web-0", PodUID: "u-1" };
const streams = { ContainerName: "main", Stdin: true, Stdout: true, Stderr: false, TTY: true };

describe("the parameters of a stream", () => {
  it("come back from the query as they went in, whatever the command holds", () => {
    const word = fc.string({ unit: "binary" }).filter((text) => !text.includes("\0"));
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 5 }),
        fc.nat(65_535),
        (Command, width) => {
          const request = { ...pod, ...streams, Command, Size: { width, height: 24 } };
          expect(readExecQuery(`/exec?${execQuery(request).toString()}`)).toEqual(request);
        },
      ),
      { numRuns: 100 },
    );
    const attach = { ...pod, ...streams };
    expect(readAttachQuery(`/attach?${attachQuery(attach).toString()}`)).toEqual(attach);
    const port = { ...pod, Port: 8080 };
    expect(readPortForwardQuery(`/x?${portForwardQuery(port).toString()}`)).toEqual(port);
  });

  const POD = "namespace=default&pod=web-0&uid=u-1";
  it.each([
    ["no parameter at all", ""],
    ["no UID", "namespace=default&pod=web-0&container=c&stdout=1&command=ls"],
    ["no command", `${POD}&container=c&stdout=1`],
    ["no stream", `${POD}&container=c&command=ls`],
    ["a flag that is not 1", `${POD}&container=c&command=ls&stdout=true`],
    ["a flag given twice", `${POD}&container=c&command=ls&stdout=1&stdout=1`],
    ["a terminal with stderr", `${POD}&container=c&command=ls&stderr=1&tty=1`],
    ["a container name that is a path", `${POD}&container=../c&command=ls&stdout=1`],
    ["a UID that is a path", "namespace=default&pod=w&uid=../u&container=c&command=ls&stdout=1"],
    ["a NUL in the command", `${POD}&container=c&command=l%00s&stdout=1`],
    ["a parameter that nobody knows", `${POD}&container=c&command=ls&stdout=1&privileged=1`],
  ])("are refused with %s", (_, query) => {
    expect(() => readExecQuery(`/exec?${query}`)).toThrow(
      expect.objectContaining({ code: "invalid" }),
    );
  });

  it.each(["0", "65536", "-1", "80a", "", "1e3", " 80"])("refuse the port %j", (port) => {
    expect(() => readPortForwardQuery(`/x?${POD}&port=${encodeURIComponent(port)}`)).toThrow(
      expect.objectContaining({ code: "invalid" }),
    );
  });
});
