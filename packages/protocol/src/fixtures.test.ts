import { describe, expect, it } from "vitest";
import { refusal } from "./client/peer-error.ts";
import type {
  Capabilities,
  CreateAnswer,
  LogRequest,
  PodCreateRequest,
  RemotePodStatus,
  RetrievedPodData,
  StatusStreamRecord,
} from "./messages.ts";
import {
  readCreateAnswer,
  readCreateRequest,
  readDeleteRequest,
  readRetrievedPodData,
} from "./read/create.ts";
import { parseJson } from "./read/json.ts";
import { readLogRequest } from "./read/logs.ts";
import { readCapabilities, readPingAnswer } from "./read/ping.ts";
import { readStatusAnswer, readStatusRequest, readStatusStreamLine } from "./read/status.ts";
import { loadFixtures } from "./testing/fixtures.ts";
import {
  writeCapabilities,
  writeCreateAnswer,
  writeCreateRequest,
  writeDeleteRequest,
  writeLogRequest,
  writeRetrievedPodData,
  writeStatusAnswer,
  writeStatusRequest,
  writeStatusStreamLine,
} from "./write/messages.ts";

type Pod = ReturnType<typeof readDeleteRequest>;

const readers = {
  "create-request": (body: string): unknown => readCreateRequest(parseJson(body)),
  "plugin-create": (body: string): unknown => readRetrievedPodData(parseJson(body)),
  "create-answer": (body: string): unknown => readCreateAnswer(parseJson(body)),
  "status-request": (body: string): unknown => readStatusRequest(parseJson(body)),
  "status-answer": (body: string): unknown => readStatusAnswer(parseJson(body)),
  "log-request": (body: string): unknown => readLogRequest(parseJson(body)),
  "delete-request": (body: string): unknown => readDeleteRequest(parseJson(body)),
  "ping-answer": (body: string): unknown => readPingAnswer(body) ?? null,
  capabilities: (body: string): unknown => readCapabilities(parseJson(body)),
  "stream-line": (body: string): unknown => readStatusStreamLine(body),
};

const writers = {
  "create-request": (value: unknown): string => writeCreateRequest(value as PodCreateRequest),
  "plugin-create": (value: unknown): string => writeRetrievedPodData(value as RetrievedPodData),
  "create-answer": (value: unknown): string => writeCreateAnswer(value as CreateAnswer),
  "status-request": (value: unknown): string => writeStatusRequest(value as Pod[]),
  "status-answer": (value: unknown): string => writeStatusAnswer(value as RemotePodStatus[]),
  "log-request": (value: unknown): string => writeLogRequest(value as LogRequest),
  "delete-request": (value: unknown): string => writeDeleteRequest(value as Pod),
  capabilities: (value: unknown): string => writeCapabilities(value as Capabilities),
  "stream-line": (value: unknown): string => writeStatusStreamLine(value as StatusStreamRecord),
};

/** Every kind that a fixture may have; an unknown one is a mistake in the fixture. */
function kindOf<T extends object>(table: T, kind: string): T[keyof T] {
  if (!Object.hasOwn(table, kind)) throw new Error(`unknown kind of fixture: ${kind}`);
  return table[kind as keyof T];
}

const fixtures = loadFixtures();
const messages = fixtures.filter(({ kind }) => kind !== "error");

describe("the tolerant reader", () => {
  it.each(messages)("reads $name: $about", ({ kind, body, reads }) => {
    expect(kindOf(readers, kind)(body)).toStrictEqual(reads);
  });
});

describe("the exact writer", () => {
  it.each(messages.filter(({ written }) => written))(
    "writes $name byte for byte",
    ({ kind, body, reads }) => {
      expect(kindOf(writers, kind)(reads)).toBe(body);
    },
  );

  it("escapes what Go's encoder escapes, and nothing else", () => {
    const answer = { PodUID: "u", PodJID: '<a & b> "quoted" \u2028 ünï' };
    expect(writeCreateAnswer(answer)).toBe(
      '{"PodUID":"u","PodJID":"\\u003ca \\u0026 b\\u003e \\"quoted\\" \\u2028 ünï"}',
    );
  });

  it("leaves out an empty job script", () => {
    const bare = messages.find(({ name }) => name === "plugin-create")!;
    expect(writers["plugin-create"]({ ...(bare.reads as object), jobScript: "" })).toBe(bare.body);
  });
});

describe("a peer's error", () => {
  it.each(fixtures.filter(({ kind }) => kind === "error"))(
    "becomes readable: $name",
    ({ body, httpStatus, words }) => {
      const error = refusal(httpStatus!, body);
      expect(error.code).toBe("refused");
      expect(error.httpStatus).toBe(httpStatus);
      expect(error.message).toBe(
        words === "" ? `the peer answered HTTP ${httpStatus} without a word` : words,
      );
    },
  );
});
