import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogRequest, RemotePodStatus } from "../messages.ts";
import { readCreateAnswer } from "../read/create.ts";
import { parseJson } from "../read/json.ts";
import { readLogRequest } from "../read/logs.ts";
import { readStatusAnswer, readStatusStreamLine } from "../read/status.ts";
import {
  writeCreateAnswer,
  writeLogRequest,
  writeStatusAnswer,
  writeStatusStreamLine,
} from "./messages.ts";

const text = fc.string({ unit: "binary", maxLength: 40 });
const uid = fc.uuid();
const time = fc
  .date({ min: new Date(0), max: new Date("2100-01-01T00:00:00Z"), noInvalidDate: true })
  .map((date) => date.toISOString());

const containerStatus = fc.record({
  name: fc.stringMatching(/^[a-z]{1,10}$/),
  state: fc.oneof(
    fc.record({ waiting: fc.record({ reason: text, message: text }) }),
    fc.record({ running: fc.record({ startedAt: time }) }),
    fc.record({
      terminated: fc.record({
        exitCode: fc.nat(255),
        reason: text,
        message: text,
        finishedAt: time,
      }),
    }),
  ),
  ready: fc.boolean(),
  restartCount: fc.nat(),
  image: text,
  imageID: text,
});

const status: fc.Arbitrary<RemotePodStatus> = fc.record(
  {
    name: fc.stringMatching(/^[a-z]{1,10}$/),
    UID: uid,
    namespace: fc.constant("default"),
    JID: text,
    containers: fc.array(containerStatus, { maxLength: 3 }),
    initContainers: fc.array(containerStatus, { maxLength: 3 }),
    extension: fc.record(
      { revision: fc.nat(), podIPs: fc.array(fc.ipV4()), deleting: fc.boolean(), reason: text },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ["name", "UID", "namespace", "JID", "containers", "initContainers"] },
);

const logRequest: fc.Arbitrary<LogRequest> = fc.record({
  Namespace: fc.constant("default"),
  PodUID: uid,
  PodName: fc.stringMatching(/^[a-z]{1,10}$/),
  ContainerName: fc.stringMatching(/^[a-z]{0,10}$/),
  Opts: fc.record({
    Tail: fc.nat(),
    Bytes: fc.nat(),
    Timestamps: fc.boolean(),
    Follow: fc.boolean(),
    Previous: fc.boolean(),
    SinceSeconds: fc.constant(0),
    SinceTime: time,
  }),
});

/** What JSON makes of a value: fast-check's records have no prototype, and lone surrogates change in transit. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("what is written is read back", () => {
  it("for status answers", () => {
    fc.assert(
      fc.property(fc.array(status, { maxLength: 4 }), (statuses) => {
        expect(readStatusAnswer(parseJson(writeStatusAnswer(statuses)))).toEqual(plain(statuses));
      }),
    );
  });

  it("for status stream lines, each on one line", () => {
    fc.assert(
      fc.property(status, (value) => {
        const line = writeStatusStreamLine({ type: "status", status: value });
        expect(line.indexOf("\n")).toBe(line.length - 1);
        expect(readStatusStreamLine(line)).toEqual(plain({ type: "status", status: value }));
      }),
    );
  });

  it("for log requests", () => {
    fc.assert(
      fc.property(logRequest, (request) => {
        expect(readLogRequest(parseJson(writeLogRequest(request)))).toEqual(plain(request));
      }),
    );
  });

  it("for create answers", () => {
    fc.assert(
      fc.property(uid, text, (PodUID, PodJID) => {
        expect(readCreateAnswer(parseJson(writeCreateAnswer({ PodUID, PodJID })))).toEqual(
          plain({ PodUID, PodJID }),
        );
      }),
    );
  });
});
