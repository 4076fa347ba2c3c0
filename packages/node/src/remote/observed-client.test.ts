import { type InterlinkClient, ProtocolError } from "@interlink/protocol";
import type { Span, Tracer } from "@opentelemetry/api";
import { type Logger, pino } from "pino";
import { expect, test } from "vitest";
import { observedClient } from "./observed-client.ts";

const pod = { metadata: { name: "p", namespace: "n", uid: "u" } };

function setUp(create: InterlinkClient["create"]) {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const spans: { name: string; attributes: unknown; ended: Record<string, unknown> }[] = [];
  const tracer = {
    startSpan(name, options) {
      const span = { name, attributes: options?.attributes, ended: {} };
      spans.push(span);
      const made: Partial<Span> = {
        setAttributes: (all) => (Object.assign(span.ended, all), made as Span),
        setStatus: () => made as Span,
        end: () => {},
      };
      return made as Span;
    },
  } as Tracer;
  const logger = pino({ level: "debug" }, { write }) as Logger;
  const called: unknown[] = [];
  const client = observedClient({ create } as InterlinkClient, {
    logger,
    tracer,
    called: (operation, code) => called.push([operation, code]),
  });
  return { client, lines, spans, called };
}

test("a call has an id on the wire and in a line with the pod and the job, and the spans of existing nodes", async () => {
  const ids: unknown[] = [];
  const { client, lines, spans, called } = setUp(async (_, options) => {
    ids.push(options?.requestId);
    return { PodUID: "u", PodJID: "j-7" };
  });
  await client.create({ pod, container: [] } as never);
  expect(called).toEqual([["CreatePod", 200]]);
  expect(ids).toEqual([expect.stringMatching(/^CreatePod#/)]);
  expect(lines).toEqual([
    expect.objectContaining({ requestId: ids[0], pod: "n/p", uid: "u", job: "j-7" }),
  ]);
  const attributes = { "pod.name": "p", "pod.namespace": "n", "pod.uid": "u" };
  expect(spans).toEqual(
    ["CreatePodVK", "CreateHttpCall"].map((name) => ({
      name,
      attributes,
      ended: expect.objectContaining({ "exit.code": 200, duration: expect.any(Number) }),
    })),
  );
});

test("the error of a call says which request it was, and its spans the status", async () => {
  const { client, lines, spans, called } = setUp(async () => {
    throw new ProtocolError("refused", "no such partition", { httpStatus: 422 });
  });
  const error: unknown = await client.create({ pod } as never).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ requestId: expect.stringMatching(/^CreatePod#/) });
  expect(called).toEqual([["CreatePod", 422]]);
  expect(lines[0]).toMatchObject({ uid: "u", err: { message: "no such partition" } });
  expect(spans.map(({ ended }) => ended["exit.code"])).toEqual([422, 422]);
});

test("a call about a pod whose job is known says the job, well or not", async () => {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const failing = async () => {
    throw new ProtocolError("unreachable", "gone");
  };
  const client = observedClient({ delete: async () => {}, create: failing } as never, {
    logger: pino({ level: "debug" }, { write }) as Logger,
    jobOf: (uid) => (uid === "u" ? "j-7" : undefined),
  });
  await client.delete(pod);
  await expect(client.create({ pod, container: [] } as never)).rejects.toThrow("gone");
  await client.delete({ metadata: { ...pod.metadata, uid: "other" } });
  expect(lines.map(({ uid, job }) => ({ uid, job }))).toEqual([
    { uid: "u", job: "j-7" },
    { uid: "u", job: "j-7" },
    { uid: "other", job: undefined },
  ]);
});

test("streams of a pod say which request and pod they are of, like any other call", async () => {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const ids: unknown[] = [];
  const opens = async (_: unknown, options?: { requestId?: string }) => {
    ids.push(options?.requestId);
    return {};
  };
  const client = observedClient({ exec: opens, attach: opens, portForward: opens } as never, {
    logger: pino({ level: "debug" }, { write }) as Logger,
  });
  const request = { Namespace: "n", PodName: "p", PodUID: "u" } as never;
  await client.exec(request);
  await client.attach(request);
  await client.portForward(request);
  expect(ids).toEqual(
    ["Exec#", "Attach#", "PortForward#"].map((id) => expect.stringContaining(id)),
  );
  expect(lines.map(({ requestId, pod: name, uid }) => ({ requestId, name, uid }))).toEqual(
    ids.map((requestId) => ({ requestId, name: "n/p", uid: "u" })),
  );
});
