import fc from "fast-check";
import { expect, test } from "vitest";
import { readTraceContext, spanContextOf, writeTraceContext } from "./trace-context.ts";

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

test("a context is read, and is the same when it is written again", () => {
  const tracestate = "vendor=a:b,other=1";
  const read = readTraceContext({ traceparent, tracestate });
  expect(read).toEqual({ traceparent, tracestate });
  expect(read && writeTraceContext(spanContextOf(read))).toEqual(read);
});

test.each([
  undefined,
  "",
  "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
  "00-00000000000000000000000000000000-b7ad6b7169203331-01",
  "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
  "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  `${traceparent}\n`,
  `${traceparent} $(id)`,
  traceparent.toUpperCase(),
])("%j is no context", (given) => {
  expect(readTraceContext({ traceparent: given })).toBeUndefined();
});

test.each(["", "line\nbreak", "x=é", "a".repeat(513)])(
  "a context goes on without the state %j",
  (tracestate) => {
    expect(readTraceContext({ traceparent, tracestate })).toEqual({ traceparent });
  },
);

test("whatever is read is plain text on one line", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (tracestate) => {
      const state = readTraceContext({ traceparent, tracestate })?.tracestate ?? "";
      expect(state).toMatch(/^[\x20-\x7e]*$/);
    }),
  );
});
