import { createTraceState, type SpanContext } from "@opentelemetry/api";

/** Where in a trace something is, as W3C Trace Context writes it: both are headers, and variables of jobs in capitals. */
export interface TraceContext {
  traceparent: string;
  tracestate?: string;
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
/** As much as the standard has everyone carry along. */
const MAX_TRACESTATE = 512;

/** `undefined` for what is none: it is ignored, as the standard wants it. Of a bad `tracestate` only that. */
export function readTraceContext(given: {
  readonly [name: string]: string | readonly string[] | undefined;
}): TraceContext | undefined {
  const { traceparent, tracestate } = given;
  const [, trace = "", span = ""] = TRACEPARENT.exec(String(traceparent)) ?? [];
  if (traceparent === undefined || !/[1-9a-f]/.test(trace) || !/[1-9a-f]/.test(span)) {
    return undefined;
  }
  const state = String(tracestate ?? "");
  const isSound = /^[\x20-\x7e]+$/.test(state) && state.length <= MAX_TRACESTATE;
  return { traceparent: String(traceparent), ...(isSound && { tracestate: state }) };
}

/** What a span's context is for those below it. */
export function writeTraceContext(span: SpanContext): TraceContext {
  const flags = span.traceFlags.toString(16).padStart(2, "0");
  const state = span.traceState?.serialize() ?? "";
  return {
    traceparent: `00-${span.traceId}-${span.spanId}-${flags}`,
    ...(state !== "" && { tracestate: state }),
  };
}

/** The span that this was written of, for spans below it. */
export function spanContextOf({ traceparent, tracestate }: TraceContext): SpanContext {
  const [, traceId = "", spanId = "", flags = "0"] = TRACEPARENT.exec(traceparent) ?? [];
  return {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
    ...(tracestate !== undefined && { traceState: createTraceState(tracestate) }),
  };
}
