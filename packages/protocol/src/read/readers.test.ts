import fc from "fast-check";
import type { TSchema } from "typebox";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../errors.ts";
import {
  CapabilitiesSchema,
  CreateAnswerSchema,
  LogRequestSchema,
  PodCreateRequestSchema,
  RetrievedPodDataSchema,
  StatusAnswerSchema,
} from "../schemas/messages.ts";
import { almost, hostileJson } from "../testing/arbitraries.ts";
import { type Fixture, loadFixtures } from "../testing/fixtures.ts";
import type { CoercibleSchema } from "./coerce.ts";
import {
  readCreateAnswer,
  readCreateRequest,
  readDeleteRequest,
  readRetrievedPodData,
} from "./create.ts";
import { parseJson } from "./json.ts";
import { readLogRequest } from "./logs.ts";
import { readCapabilities, readPingAnswer } from "./ping.ts";
import { readStatusAnswer, readStatusRequest, readStatusStreamLine } from "./status.ts";

const readers = new Map<string, (value: unknown) => unknown>(
  Object.entries({
    "create-request": readCreateRequest,
    "plugin-create": readRetrievedPodData,
    "create-answer": readCreateAnswer,
    "status-request": readStatusRequest,
    "status-answer": (value: unknown) => readStatusAnswer(value),
    "log-request": readLogRequest,
    "delete-request": readDeleteRequest,
    capabilities: readCapabilities,
    "ping-answer": (value: unknown) => readPingAnswer(JSON.stringify(value) ?? ""),
    "stream-line": (value: unknown) => readStatusStreamLine(JSON.stringify(value) ?? ""),
  }),
);

function readAs(kind: string, value: unknown): unknown {
  const reader = readers.get(kind);
  if (reader === undefined) throw new Error(`no reader for ${kind}`);
  return reader(value);
}

const fixtures = loadFixtures();
const firstOf = (kind: string): Fixture => fixtures.find((fixture) => fixture.kind === kind)!;

/** Runs a reader; anything but a value or a ProtocolError with a sentence fails the test. */
function onlyProtocolErrors(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError);
    expect((error as ProtocolError).message).not.toBe("");
    expect(["malformed", "invalid"]).toContain((error as ProtocolError).code);
  }
}

function onlyRefusal(read: () => unknown): void {
  expect(read).toThrow(expect.objectContaining({ code: "invalid" }));
}

describe.each([...readers.keys()])("the reader of %s", (kind) => {
  const read = (value: unknown) => readAs(kind, value);

  it("throws nothing but ProtocolError on any JSON, and leaves its input alone", () => {
    fc.assert(
      fc.property(fc.oneof(hostileJson, almost(firstOf(kind).reads)), (value) => {
        const before = JSON.stringify(value);
        onlyProtocolErrors(() => read(value));
        expect(JSON.stringify(value)).toBe(before);
        expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it("throws nothing but ProtocolError on any bytes", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.string()), (bytes) =>
        onlyProtocolErrors(() => read(parseJson(bytes))),
      ),
    );
  });

  it("refuses nesting without end", () => {
    const deep = `${'{"type":['.repeat(50_000)}${"]}".repeat(50_000)}`;
    if (kind === "ping-answer") expect(readPingAnswer(deep)).toBeUndefined();
    else if (kind === "stream-line") onlyRefusal(() => readStatusStreamLine(deep));
    else onlyRefusal(() => read(JSON.parse(deep)));
  });
});

describe("names", () => {
  const request = firstOf("create-request").reads as { pod: { metadata: object; spec: object } };
  const withMetadata = (change: object) => ({
    ...request,
    pod: { ...request.pod, metadata: { ...request.pod.metadata, ...change } },
  });

  it.each([
    ["uid", "../../x"],
    ["uid", ""],
    ["uid", "a/b"],
    ["uid", "-starts-with-dash"],
    ["uid", "a".repeat(64)],
    ["uid", 7],
    ["uid", "line\n"],
    ["name", "Upper"],
    ["name", "a..b"],
    ["name", "a".repeat(254)],
    ["namespace", "a.b"],
    ["namespace", "x y"],
    ["namespace", null],
  ])("refuses a pod whose %s is %j, and says which field", (field, value) => {
    expect(() => readCreateRequest(withMetadata({ [field]: value }))).toThrow(
      expect.objectContaining({
        code: "invalid",
        message: expect.stringMatching(
          new RegExp(`^create request: pod\\.metadata\\b.*\\b${field}\\b`),
        ),
      }),
    );
  });

  it.each(["a", "static-pod-0123", "4f6c1a1e-0d5a-4d0e-9c0b-2b7c1de0a001"])(
    "accepts the UID %s",
    (uid) => {
      expect(readCreateRequest(withMetadata({ uid })).pod.metadata?.uid).toBe(uid);
    },
  );

  it.each(["/etc/passwd", "../up", "a/../../b", "a/..", ""])(
    "refuses the projected path %j",
    (path) => {
      const projectedvolumesmaps = [{ metadata: { name: "v" }, data: { [path]: "x" } }];
      expect(() => readCreateRequest({ ...request, projectedvolumesmaps })).toThrow(
        "projectedvolumesmaps",
      );
    },
  );

  it.each(["a/..b", "..data.txt", "deep/er/file", "ü"])("accepts the projected path %j", (path) => {
    const projectedvolumesmaps = [{ metadata: { name: "v" }, data: { [path]: "x" } }];
    expect(
      readCreateRequest({ ...request, projectedvolumesmaps }).projectedvolumesmaps[0]?.data,
    ).toEqual({ [path]: "x" });
  });

  it("never quotes a value, which may be a secret", () => {
    const secrets = [{ metadata: { name: "s" }, data: { key: ["hunter2"] } }];
    expect(() => readCreateRequest({ ...request, secrets })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("hunter2") }),
    );
  });

  it.each(["__proto__", "constructor"])("refuses the field name %s", (key) => {
    const text = JSON.stringify(request).replace('"app":', `"${key}":{"prototype":{}},"app":`);
    expect(() => readCreateRequest(JSON.parse(text))).toThrow(key);
  });

  it("refuses numbers beyond double range", () => {
    expect(() => readStatusAnswer(JSON.parse('[{"UID":"u","extension":{"x":1e999}}]'))).toThrow(
      "too large",
    );
  });
});

describe("letter case", () => {
  const schemas = new Map<string, TSchema>(
    Object.entries({
      "create-request": PodCreateRequestSchema,
      "plugin-create": RetrievedPodDataSchema,
      "create-answer": CreateAnswerSchema,
      "status-answer": StatusAnswerSchema,
      "log-request": LogRequestSchema,
      capabilities: CapabilitiesSchema,
    }),
  );
  const schemaOf = (kind: string): CoercibleSchema => schemas.get(kind) ?? {};

  /** Every field that the schema names, in a letter case decided by `upper`; everything else as it is. */
  function recased(value: unknown, schema: CoercibleSchema, upper: () => boolean): unknown {
    if (Array.isArray(value)) {
      const { items } = schema;
      return items === undefined ? value : value.map((item) => recased(item, items, upper));
    }
    const { properties } = schema;
    if (typeof value !== "object" || value === null || properties === undefined) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, child]) => {
        const known = properties[key];
        if (known === undefined) return [key, child];
        const name = key
          .split("")
          .map((c) => (upper() ? c.toUpperCase() : c.toLowerCase()))
          .join("");
        return [name, recased(child, known, upper)];
      }),
    );
  }

  it.each(fixtures.filter(({ kind }) => schemas.has(kind)))(
    "does not matter in $name",
    ({ kind, reads }) => {
      fc.assert(
        fc.property(fc.infiniteStream(fc.boolean()), (choices) => {
          const value = recased(reads, schemaOf(kind), () => choices.next().value as boolean);
          expect(readAs(kind, value)).toStrictEqual(readAs(kind, reads));
        }),
        { numRuns: 30 },
      );
    },
  );

  it("prefers the exact spelling", () => {
    expect(readCreateAnswer({ podjid: "wrong", PodJID: "right", PODJID: "wrong" }).PodJID).toBe(
      "right",
    );
  });

  it("leaves free maps alone", () => {
    const pod = readDeleteRequest(firstOf("delete-request").reads);
    expect(pod.metadata?.labels).toHaveProperty("NAME", "kept as it is");
  });
});

describe("status answers", () => {
  const asked = [readDeleteRequest(firstOf("delete-request").reads)];

  it("match an element without UID to the pod of that name", () => {
    const [status] = readStatusAnswer([{ name: "hello", namespace: "default" }], asked);
    expect(status?.UID).toBe(asked[0]?.metadata?.uid);
  });

  it("leave out an element that names no pod", () => {
    expect(readStatusAnswer([{ name: "other", namespace: "default" }], asked)).toEqual([]);
  });

  it.each([[[null]], [["x"]], [{ name: "x" }], ["text"], [7]])(
    "are refused when they are %j",
    (answer) => {
      expect(() => readStatusAnswer(answer, asked)).toThrow(ProtocolError);
    },
  );

  it("are refused whole when a time is a number", () => {
    const containers = [{ name: "c", state: { running: { startedAt: 1 } } }];
    expect(() => readStatusAnswer([{ UID: "a" }, { UID: "b", containers }])).toThrow(
      "[1].containers[0].state.running.startedAt",
    );
  });
});

describe("log requests", () => {
  const valid = firstOf("log-request").reads as { Opts: object };
  it.each([
    ["both times", { SinceSeconds: 5, SinceTime: "2026-01-05T10:00:00Z" }],
    ["a negative tail", { Tail: -1 }],
    ["a fraction", { Bytes: 1.5 }],
    ["a wrong time", { SinceTime: "yesterday" }],
    ["text as a number", { Tail: "10" }],
  ])("are refused with %s", (_, change) => {
    expect(() => readLogRequest({ ...valid, Opts: { ...valid.Opts, ...change } })).toThrow(
      expect.objectContaining({ code: "invalid" }),
    );
  });

  it("are refused with a pod name that climbs", () => {
    expect(() => readLogRequest({ ...valid, PodName: "../../x" })).toThrow("PodName");
  });
});

describe("stream lines", () => {
  it("of unknown type are skipped", () => {
    expect(readStatusStreamLine('{"type":"later","x":1}')).toBeUndefined();
    expect(readStatusStreamLine('{"type":"toString"}')).toBeUndefined();
  });
});
