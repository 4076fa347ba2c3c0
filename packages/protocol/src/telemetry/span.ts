import type { IncomingHttpHeaders } from "node:http";
import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { httpStatusOf, ProtocolError } from "../errors.ts";
import { type TraceContext, writeTraceContext } from "./trace-context.ts";

// Names of attributes are those of the existing programs (reference: wire and node, section 9); their times and `duration`
// are in microseconds.

/** A span of one piece of work here, with the active span above it; what the work calls is below it. No tracer, no span. */
export async function inSpan<T>(
  tracer: Tracer | undefined,
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
): Promise<T> {
  if (tracer === undefined) return work();
  const startedAt = Date.now();
  const span = tracer.startSpan(name, { attributes, kind: SpanKind.CLIENT });
  try {
    const result = await context.with(trace.setSpan(context.active(), span), work);
    endSpan(span, startedAt, 200);
    return result;
  } catch (error) {
    const failure = ProtocolError.from(error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: failure.message });
    endSpan(span, startedAt, httpStatusOf(failure));
    throw error;
  }
}

/** A span of a request that a server answers. */
export interface RequestSpan {
  /** In which the request is to be handled. */
  readonly context: Context;
  /** For what is not reached by calls below it. */
  readonly trace: TraceContext;
  /** Once, with the HTTP status. */
  end(status: number, attributes: Attributes): void;
}

/** Begins it below the caller's span, if the headers name one (W3C Trace Context). */
export function startRequestSpan(
  tracer: Tracer,
  name: string,
  headers: IncomingHttpHeaders,
): RequestSpan {
  const startedAt = Date.now();
  const above = propagation.extract(ROOT_CONTEXT, headers);
  const span = tracer.startSpan(name, { kind: SpanKind.SERVER }, above);
  return {
    context: trace.setSpan(above, span),
    trace: writeTraceContext(span.spanContext()),
    end(status, attributes) {
      span.setAttributes(attributes);
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      endSpan(span, startedAt, status);
    },
  };
}

function endSpan(span: Span, startedAt: number, status: number): void {
  const endedAt = Date.now();
  span.setAttributes({
    "start.timestamp": startedAt * 1000,
    "end.timestamp": endedAt * 1000,
    duration: (endedAt - startedAt) * 1000,
    "exit.code": status,
  });
  span.end();
}
